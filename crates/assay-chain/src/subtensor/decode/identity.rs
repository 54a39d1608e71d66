//! What a subnet says of itself.

use assay_types::NetUid;
use subxt::ext::scale_value::Value;

use crate::subtensor::encode::SUBTENSOR;
use crate::subtensor::node::Node;
use crate::subtensor::view::View;
use crate::{ChainError, SubnetIdentity};

/// Storage entries that held identities, newest first.
pub(crate) const ENTRIES: [&str; 3] = ["SubnetIdentitiesV3", "SubnetIdentitiesV2", "SubnetIdentities"];

/// Fields of an identity; one that is missing reads empty.
pub(crate) const FIELDS: &[&str] = &[
    "subnet_name",
    "github_repo",
    "subnet_contact",
    "subnet_url",
    "discord",
    "description",
    "logo_url",
    "additional",
];

/// Reads the identity from the newest entry the runtime has.
pub(crate) async fn subnet(view: &View<'_>, netuid: NetUid) -> Result<Option<SubnetIdentity>, ChainError> {
    let entry = ENTRIES
        .into_iter()
        .find(|entry| view.runtime.has_storage(SUBTENSOR, entry))
        .ok_or_else(|| {
            let lacks = view.runtime.lacks(format!("{SUBTENSOR}.SubnetIdentitiesV3"));
            view.error(lacks)
        })?;
    let Some(node) = view.value(SUBTENSOR, entry, &[Value::from(netuid.0)]).await? else {
        return Ok(None);
    };
    let text = |name: &str| node.field(name).and_then(Node::text).unwrap_or_default();
    Ok(Some(SubnetIdentity {
        subnet_name: text("subnet_name"),
        github_repo: text("github_repo"),
        subnet_contact: text("subnet_contact"),
        subnet_url: text("subnet_url"),
        discord: text("discord"),
        description: text("description"),
        logo_url: text("logo_url"),
        additional: text("additional"),
    }))
}
