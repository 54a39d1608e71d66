//! The processes of a localnet: started, watched, started again if one dies, ended with the driver.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, Command};

use super::world::{Person, World};
use super::{LocalnetOptions, Watcher};
use crate::subnet::AgentError;

/// How long the chain may take to say where it listens.
const START_TIME_MAX: Duration = Duration::from_mins(1);

/// Pause between two looks whether the chain listens.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// How often a process that dies is started again.
const STARTS_MAX: u32 = 30;

/// A process and how to start it again.
struct Process {
    name: String,
    program: PathBuf,
    arguments: Vec<String>,
    log: PathBuf,
    child: Child,
    starts: u32,
}

/// All processes, the chain first.
#[derive(Default)]
pub(super) struct Processes(Vec<Process>);

impl Processes {
    /// Starts the chain; gives its address once it listens there.
    pub(super) async fn chain(
        &mut self,
        options: &LocalnetOptions,
        world: &World,
    ) -> Result<String, AgentError> {
        let address = free_address(0)?;
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let pairs = [
            ("--listen", address.to_string()),
            ("--state", text(&options.folder.join("chain.sqlite"))),
            ("--genesis", text(&world.genesis_path)),
            ("--block-time", format!("{}ms", options.block_time.as_millis())),
        ];
        let mut arguments = vec!["chain".to_owned(), "run".to_owned()];
        arguments.extend(
            pairs
                .into_iter()
                .flat_map(|(name, value)| [name.to_owned(), value]),
        );
        self.start(options, "chain".to_owned(), arguments)?;
        let listens = async {
            while tokio::net::TcpStream::connect(address).await.is_err() {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        };
        match tokio::time::timeout(START_TIME_MAX, listens).await {
            Ok(()) => Ok(format!("ws://{address}")),
            Err(_) => Err(AgentError::Worker(format!(
                "the chain does not start; {} says why",
                options.folder.join("chain.log").display()
            ))),
        }
    }

    /// Starts the Task API with the website; gives its address.
    pub(super) fn server(
        &mut self,
        options: &LocalnetOptions,
        world: &World,
        subnet: &Path,
        url: &str,
    ) -> Result<String, AgentError> {
        let address = free_address(options.port)?;
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let pairs = [
            ("--subnet", text(subnet)),
            ("--network", network(url)),
            ("--wallet-path", text(&world.wallets)),
            ("--wallet", world.server.name.clone()),
            ("--hotkey", "default".to_owned()),
            ("--database", text(&options.folder.join("server.sqlite"))),
            ("--listen", address.to_string()),
            ("--metrics-listen", "127.0.0.1:0".to_owned()),
            // Relative to the folder, as the path of a socket must be short.
            ("--admin-socket", "admin.sock".to_owned()),
        ];
        let mut arguments = vec!["serve".to_owned()];
        arguments.extend(
            pairs
                .into_iter()
                .flat_map(|(name, value)| [name.to_owned(), value]),
        );
        self.start(options, world.server.name.clone(), arguments)?;
        Ok(format!("http://{address}"))
    }

    /// Starts every miner and validator of a subnet file, on the chain at an address, telling the Task API at another.
    pub(super) fn agents(
        &mut self,
        options: &LocalnetOptions,
        world: &World,
        (subnet, url, api): (&Path, &str, &str),
    ) -> Result<(), AgentError> {
        for person in world.miners.iter().chain(&world.validators) {
            let mut arguments = person.arguments(options, world, subnet, &network(url));
            let server = world.server.hotkey.to_ss58();
            arguments.extend(["--api", api, "--api-hotkey", &server].map(str::to_owned));
            self.start(options, person.name.clone(), arguments)?;
        }
        Ok(())
    }

    fn start(
        &mut self,
        options: &LocalnetOptions,
        name: String,
        arguments: Vec<String>,
    ) -> Result<(), AgentError> {
        let log = options.folder.join(format!("{name}.log"));
        let child = spawn(&options.program, &arguments, &log)?;
        self.0.push(Process {
            name,
            program: options.program.clone(),
            arguments,
            log,
            child,
            starts: 1,
        });
        Ok(())
    }

    /// Starts again who has died.
    pub(super) fn revive(&mut self, watcher: &dyn Watcher) -> Result<(), AgentError> {
        for agent in &mut self.0 {
            let Ok(Some(status)) = agent.child.try_wait() else {
                continue;
            };
            if agent.starts >= STARTS_MAX {
                let log = agent.log.display();
                return Err(AgentError::Worker(format!(
                    "{} keeps ending ({status}); {log} says why",
                    agent.name
                )));
            }
            watcher.note(&format!("{} ended ({status}), started again", agent.name));
            agent.child = spawn(&agent.program, &agent.arguments, &agent.log)?;
            agent.starts += 1;
        }
        Ok(())
    }

    /// Ends everything.
    pub(super) async fn stop(&mut self) {
        // The chain last: what ends before it finds it there.
        for agent in self.0.iter_mut().rev() {
            // One that has ended already is as good.
            let _ = agent.child.kill().await;
        }
    }
}

/// How processes name the chain at an address.
pub(super) fn network(url: &str) -> String {
    format!("embedded:{}", url.trim_start_matches("ws://"))
}

/// The wanted port on loopback, or another one if it is taken.
fn free_address(port: u16) -> Result<SocketAddr, AgentError> {
    let loopback = Ipv4Addr::LOCALHOST;
    let listener = TcpListener::bind((loopback, port)).or_else(|_| TcpListener::bind((loopback, 0)));
    let address = listener.and_then(|listener| listener.local_addr());
    address.map_err(|error| AgentError::Worker(format!("find a free port: {error}")))
}

fn spawn(program: &Path, arguments: &[String], log: &Path) -> Result<Child, AgentError> {
    Command::new(program)
        .args(arguments)
        .current_dir(log.parent().unwrap_or(Path::new(".")))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log_file(log)?)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| AgentError::Worker(format!("start `{}`: {error}", program.display())))
}

fn log_file(path: &Path) -> Result<std::fs::File, AgentError> {
    let file = fs_err::OpenOptions::new().create(true).append(true).open(path);
    Ok(file.map_err(AgentError::file(path))?.into_parts().0)
}

impl Person {
    /// The command line of its process.
    fn arguments(
        &self,
        options: &LocalnetOptions,
        world: &World,
        subnet: &Path,
        network: &str,
    ) -> Vec<String> {
        let folder = options.folder.join("agents").join(&self.name);
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let mut arguments = match self.role {
            Some(_) => vec!["miner".to_owned(), "up".to_owned()],
            None => vec!["validator".to_owned(), "up".to_owned()],
        };
        let pairs = [
            ("--subnet", text(subnet)),
            ("--network", network.to_owned()),
            ("--wallet-path", text(&world.wallets)),
            ("--wallet", self.name.clone()),
            ("--hotkey", "default".to_owned()),
            ("--dir", text(&folder)),
        ];
        arguments.extend(
            pairs
                .into_iter()
                .flat_map(|(name, value)| [name.to_owned(), value]),
        );
        if let Some(role) = self.role {
            let recipe = if role == super::Role::Better {
                "best"
            } else {
                "anchor"
            };
            let pairs = [
                ("--recipe", recipe),
                ("--threads", "1"),
                ("--conduct", role.name()),
            ];
            arguments.extend(
                pairs
                    .into_iter()
                    .flat_map(|(name, value)| [name.to_owned(), value.to_owned()]),
            );
        }
        arguments
    }
}
