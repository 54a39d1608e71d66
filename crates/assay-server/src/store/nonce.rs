//! The replay store: nonces of accepted signatures, in the same transaction as what they signed for.
//!
//! So a request that was answered is refused a second time after a crash too, and among several servers on one database.

use super::{Parts, StoreError, Write};
use assay_types::Hotkey;
use assay_types::api::ProblemKind;
use futures_util::future::BoxFuture;
use sqlx::AnyConnection;

/// An operation that a signed request asks for; refused as a replay if its nonce is known.
#[derive(Debug)]
pub struct Signed<W> {
    /// Who signed.
    pub hotkey: Hotkey,
    /// Unix nanoseconds.
    pub nonce: i64,
    /// What is asked.
    pub write: W,
}

impl<W: Write> Write for Signed<W> {
    type Out = Result<W::Out, ProblemKind>;

    fn touches(&self) -> Parts {
        self.write.touches()
    }

    fn apply<'a>(
        &'a self,
        connection: &'a mut AnyConnection,
    ) -> BoxFuture<'a, Result<Self::Out, StoreError>> {
        Box::pin(async move {
            let done =
                sqlx::query("INSERT INTO nonces (hotkey, nonce) VALUES ($1, $2) ON CONFLICT DO NOTHING")
                    .bind(self.hotkey.to_string())
                    .bind(self.nonce)
                    .execute(&mut *connection)
                    .await?;
            if done.rows_affected() == 0 {
                return Ok(Err(ProblemKind::ReplayedRequest));
            }
            Ok(Ok(self.write.apply(connection).await?))
        })
    }
}

/// Nothing but the nonce: a signed request that changes nothing else.
#[derive(Debug, Clone, Copy)]
pub struct NonceOnly;

impl Write for NonceOnly {
    type Out = ();

    fn touches(&self) -> Parts {
        Parts::NONE
    }

    fn apply<'a>(&'a self, _: &'a mut AnyConnection) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async { Ok(()) })
    }
}

/// Forgets nonces that no fresh request can have.
#[derive(Debug, Clone, Copy)]
pub struct ForgetNonces {
    /// Those before this time, Unix nanoseconds.
    pub before: i64,
}

impl Write for ForgetNonces {
    type Out = u64;

    fn touches(&self) -> Parts {
        Parts::NONE
    }

    fn apply<'a>(&'a self, connection: &'a mut AnyConnection) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(async move {
            let done = sqlx::query("DELETE FROM nonces WHERE nonce < $1")
                .bind(self.before)
                .execute(connection)
                .await?;
            Ok(done.rows_affected())
        })
    }
}
