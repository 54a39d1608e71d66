//! `assay serve` itself: opens chain and database, adds corpora, follows, serves, ends in order.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use assay_agents::subnet::Setup;
use assay_chain::{At, Chain};
use assay_mechanism::contest::Contest;
use assay_server::corpus::{name_of, read_corpus};
use assay_server::recheck::{Worker, recheck};
use assay_server::store::{AddCorpora, AddRecipeText, Database, NamedUnits, Writer};
use assay_server::{
    App, AppParts, BatchSource, ChainIdentity, ServerClock, ServerConfig, Starting, admin, follow, start,
};
use assay_types::{NetUid, ParamSet, Recipe, WorkUnit};
use serde::Serialize;
use tokio::sync::watch;

use super::published::Published;
use super::settings::configured;
use crate::cli::ServeRunArgs;
use crate::command::chain::{hotkey_pair, open_network};
use crate::command::interrupt::interrupted;
use crate::config;
use crate::console::Console;
use crate::exit::UsageError;

#[derive(Debug, Serialize)]
struct Data {
    url: String,
    metrics: Option<String>,
    hotkey: String,
    netuid: u16,
    genesis: String,
    admin_socket: String,
}

pub(super) async fn run(args: &ServeRunArgs, console: &Console) -> anyhow::Result<()> {
    config::start_log(console.is_json(), "info,sqlx=warn");
    let config = server_config(args)?;
    let chain: Arc<dyn Chain> = Arc::from(open_network(&args.network).await?);
    let subnet = subnet(args, &chain)?;
    let warnings = unreadable(chain.as_ref(), &subnet).await;
    for warning in &warnings {
        console.note(warning);
    }
    let identity = ChainIdentity {
        genesis: chain.genesis().await?,
        netuid: subnet.netuid,
    };
    let key = hotkey_pair(&args.signing, console)?;
    let starting = Starting::begin(&config).await?;
    let database = Database::open(&config.database, &identity.name()).await?;
    let (writer, writing) = Writer::start(&database);
    let app = Arc::new(App::new(AppParts {
        database,
        writer,
        key: key.clone(),
        identity,
        params: subnet.params,
        limits: config.limits.clone(),
        clock: ServerClock::default(),
        client_address_header: config.client_address_header.clone(),
        public_url: config.public_url.clone().unwrap_or_default(),
        batches: subnet.batches,
        contest: subnet.contest,
    }));
    add_corpora(&app, &args.corpus, subnet.corpus).await?;
    add_recipes(&app, subnet.recipes).await?;
    app.warm_up().await;
    let socket = admin::AdminSocket::bind(&config.admin_socket).await?;
    let (stop, shutdown) = watch::channel(false);
    starting.end().await;
    let server = start(&app, &config, &shutdown).await?;
    let data = Data {
        url: format!("http://{}", server.address()),
        metrics: server
            .metrics_address()
            .map(|address| format!("http://{address}/metrics")),
        hotkey: key.address(),
        netuid: identity.netuid.0,
        genesis: identity.genesis.to_string(),
        admin_socket: config.admin_socket.display().to_string(),
    };
    let worker = recheck_worker(&subnet.archives, subnet.store.as_deref())?;
    let checking = tokio::spawn(recheck(Arc::clone(&app), worker, shutdown.clone()));
    let following = tokio::spawn(follow::follow(Arc::clone(&app), chain, shutdown.clone()));
    let administered = Arc::clone(&app);
    let admin = admin::serve_admin(administered, socket, config::open_options(), shutdown.clone());
    let admin = tokio::spawn(admin);
    console.result("assay.serve/1", &data, &warnings, || {
        format!(
            "task API at {}, signed by {}; interrupt to end\n",
            data.url, data.hotkey
        )
    })?;
    interrupted().await?;
    stop.send_replace(true);
    server.finished().await;
    following.await.context("end the follower")?;
    checking.await.context("end the re-execution of proofs")?;
    admin.await.context("end the administration")?;
    app.database().close().await;
    drop(app);
    writing.await.context("end the writer")
}

/// What a server without a store cannot do on a chain whose reports are sealed.
async fn unreadable(chain: &dyn Chain, subnet: &Served) -> Vec<String> {
    let is_sealed = chain
        .last_pulse_round(At::Head)
        .await
        .is_ok_and(|round| round > 0);
    let warning = "reports are sealed on this chain: without --subnet none can be read, and no unit passes";
    (is_sealed && subnet.batches.is_none())
        .then(|| warning.to_owned())
        .into_iter()
        .collect()
}

/// The process that judges fraud proofs against the archives of a folder or behind an address, and what a store holds.
fn recheck_worker(archives: &str, store: Option<&str>) -> anyhow::Result<Worker> {
    let store = store.map(|store| ["--store".to_owned(), store.to_owned()]);
    Ok(Worker {
        program: std::env::current_exe().context("find this program")?,
        args: ["serve", "recheck", "--archives"]
            .map(str::to_owned)
            .into_iter()
            .chain([archives.to_owned()])
            .chain(store.into_iter().flatten())
            .collect(),
    })
}

/// Flag over environment over file over default.
fn server_config(args: &ServeRunArgs) -> anyhow::Result<ServerConfig> {
    let mut config = configured(args.config.as_deref())?;
    if let Some(database) = &args.database {
        config.database.clone_from(database);
    }
    config.listen = args.listen.unwrap_or(config.listen);
    config.metrics_listen = args.metrics_listen.or(config.metrics_listen);
    if let Some(socket) = &args.admin_socket {
        config.admin_socket.clone_from(socket);
    }
    Ok(config)
}

/// The parameter set of a file.
pub(crate) fn params(file: Option<&Path>) -> anyhow::Result<ParamSet> {
    let Some(file) = file else {
        return Ok(ParamSet::default());
    };
    let text = fs_err::read_to_string(file)?;
    let set = ParamSet::parse_any(&text).map_err(|error| {
        UsageError::new(
            format!("`{}`: {error}", file.display()),
            "docs/mechanism.md lists the parameters",
        )
    })?;
    Ok(set)
}

/// What is served: the subnet's file, or what flags say.
struct Served {
    netuid: NetUid,
    params: ParamSet,
    corpus: Vec<WorkUnit>,
    recipes: Vec<Recipe>,
    archives: String,
    store: Option<String>,
    batches: Option<Arc<dyn BatchSource>>,
    contest: Option<Contest>,
}

fn subnet(args: &ServeRunArgs, chain: &Arc<dyn Chain>) -> anyhow::Result<Served> {
    let Some(file) = &args.subnet else {
        return Ok(Served {
            netuid: NetUid(args.netuid),
            params: params(args.params.as_deref())?,
            corpus: Vec::new(),
            recipes: Vec::new(),
            archives: args.archives.to_string_lossy().into_owned(),
            store: None,
            batches: None,
            contest: None,
        });
    };
    let setup = Setup::load(file, &config::store_options())?;
    Ok(Served {
        netuid: setup.netuid,
        recipes: setup.recipes().cloned().collect(),
        batches: Some(Arc::new(Published {
            chain: Arc::clone(chain),
            store: Arc::clone(&setup.store),
            netuid: setup.netuid,
            params: setup.params_digest,
            clock: setup.clock,
        })),
        archives: setup.archives().place().to_owned(),
        contest: setup.first_state().contest,
        store: Some(setup.store_address),
        params: setup.params,
        corpus: setup.corpus,
    })
}

/// Adds the active recipes of a subnet's file; what is there already stays.
async fn add_recipes(app: &App, recipes: Vec<Recipe>) -> anyhow::Result<()> {
    let now_ms = app.clock().now_ms();
    for recipe in recipes {
        let add = AddRecipeText {
            recipe_id: recipe.id(),
            author: None,
            toml: recipe.to_canonical(),
            now_ms,
        };
        app.writer().write(add).await?;
    }
    Ok(())
}

/// Adds the work of flags and of the subnet's file, all of it or none: what is there already must be the same, and the index
/// the one that the parameter set pins.
async fn add_corpora(app: &App, specs: &[String], subnet: Vec<WorkUnit>) -> anyhow::Result<()> {
    let mut corpora = Vec::new();
    for spec in specs {
        let (named, options) = (spec.clone(), config::open_options());
        let units = tokio::task::spawn_blocking(move || read_corpus(&named, &options)).await??;
        let name = name_of(spec);
        corpora.push(NamedUnits { name, units });
    }
    if !subnet.is_empty() {
        corpora.push(NamedUnits {
            name: "subnet".to_owned(),
            units: subnet,
        });
    }
    let add = AddCorpora {
        corpora,
        pinned: app.params().corpus_index_root,
        now_ms: app.clock().now_ms(),
    };
    app.writer().write(add).await??;
    Ok(())
}
