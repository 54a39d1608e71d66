//! A hub in a test: the documented endpoints that publishing and reading a dataset repository need, in memory.
//!
//! Repositories, commits with parents, LFS objects in one request or in parts, pages, privacy. Commits, digests and
//! errors are as the Hub's: a client that works here follows the documents, which is all that can be shown offline.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use sha1::Digest as _;

use crate::server::{Reply, Request, Server};

/// The one token that may read and write everything.
pub(super) const TOKEN: &str = "hf_testtoken";

/// Objects above this many bytes go in parts of [`PART_BYTES`].
const WHOLE_BYTES_MAX: u64 = 100_000;
const PART_BYTES: u64 = 60_000;

/// Items of one page of a tree.
const PAGE: usize = 2;

#[derive(Debug, Clone, PartialEq)]
enum File {
    Regular(Vec<u8>),
    Large(String),
}

#[derive(Debug, Default)]
struct Repo {
    private: bool,
    /// Newest last: id and files.
    commits: Vec<(String, BTreeMap<String, File>)>,
}

#[derive(Debug, Default)]
struct State {
    base: String,
    repos: BTreeMap<String, Repo>,
    objects: BTreeMap<String, Vec<u8>>,
    parts: BTreeMap<String, Vec<u8>>,
    /// Commits that are made but whose answers are lost.
    lose_commits: usize,
    /// Commits of somebody else that come first.
    rivals: usize,
}

/// A running hub.
pub(super) struct MockHub {
    pub(super) server: Server,
    state: Arc<Mutex<State>>,
}

impl MockHub {
    pub(super) fn start() -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        let server = Server::start(move |request| shared.lock().unwrap().answer(request));
        state.lock().unwrap().base = server.url("");
        Self { server, state }
    }

    /// The answers of the next commits get lost, though they are made.
    pub(super) fn lose_commits(&self, count: usize) {
        self.state.lock().unwrap().lose_commits = count;
    }

    /// Somebody else commits before each of the next commits.
    pub(super) fn rivals(&self, count: usize) {
        self.state.lock().unwrap().rivals = count;
    }

    /// How many commits a repository has, its first empty one included.
    pub(super) fn commits(&self, repo: &str) -> usize {
        self.state.lock().unwrap().repos[repo].commits.len()
    }

    /// Whether a file of the newest commit is an LFS object.
    pub(super) fn is_large(&self, repo: &str, path: &str) -> bool {
        let state = self.state.lock().unwrap();
        matches!(state.repos[repo].commits.last().unwrap().1[path], File::Large(_))
    }
}

fn error(status: u16, code: &str) -> Reply {
    Reply::status(status).field("X-Error-Code", code)
}

fn sha1_hex(bytes: &[u8]) -> String {
    assay_types::hex::encode(&sha1::Sha1::digest(bytes))
}

fn sha256_hex(bytes: &[u8]) -> String {
    assay_types::hex::encode(&sha2::Sha256::digest(bytes))
}

fn blob_id(bytes: &[u8]) -> String {
    sha1_hex(&[format!("blob {}\0", bytes.len()).as_bytes(), bytes].concat())
}

impl State {
    fn answer(&mut self, request: &Request) -> Reply {
        let is_owner = request
            .fields
            .get("authorization")
            .is_some_and(|field| *field == format!("Bearer {TOKEN}"));
        if request.fields.contains_key("authorization") && !is_owner {
            return Reply::status(401);
        }
        let target = request.target.clone();
        let (target, query) = target.split_once('?').unwrap_or((&target, ""));
        if let Some(rest) = target.strip_prefix("/lfs/") {
            return self.lfs_storage(request, rest);
        }
        if target == "/api/repos/create" {
            return if is_owner {
                self.create(&request.body)
            } else {
                Reply::status(401)
            };
        }
        let parts: Vec<&str> = target.trim_start_matches('/').split('/').collect();
        let (repo, rest, is_api) = match parts.as_slice() {
            ["api", "datasets", space, name, rest @ ..] => (format!("{space}/{name}"), rest.to_vec(), true),
            ["datasets", space, name, rest @ ..] => (
                format!("{space}/{}", name.trim_end_matches(".git")),
                rest.to_vec(),
                false,
            ),
            _ => return Reply::status(404),
        };
        match self.repos.get(&repo) {
            Some(found) if is_owner || !found.private => {}
            _ if is_owner => return error(404, "RepoNotFound"),
            _ => return error(401, "RepoNotFound"),
        }
        if !is_owner && !matches!(request.method.as_str(), "GET" | "HEAD") {
            return Reply::status(401);
        }
        match (request.method.as_str(), is_api, rest.as_slice()) {
            ("GET", true, []) => self.info(&repo, "main"),
            ("GET", true, ["revision", revision]) => self.info(&repo, revision),
            ("GET", true, ["tree", revision]) => self.tree(&repo, revision, query),
            ("GET", true, ["commits", "main"]) => {
                let commits = self.repos[&repo].commits.iter().rev();
                Reply::json(&commits.map(|(id, _)| json!({ "id": id })).collect())
            }
            ("PUT", true, ["settings"]) => {
                let body: Value = serde_json::from_slice(&request.body).unwrap();
                self.repos.get_mut(&repo).unwrap().private = body["visibility"] == "private";
                Reply::json(&json!({}))
            }
            ("POST", true, ["preupload", "main"]) => preupload(&request.body),
            ("POST", true, ["commit", "main"]) => self.commit(&repo, &request.body),
            ("POST", false, ["info", "lfs", "objects", "batch"]) => self.batch(&request.body),
            ("GET" | "HEAD", false, ["resolve", revision, path @ ..]) => {
                self.resolve(&repo, revision, &path.join("/"), request)
            }
            _ => Reply::status(404),
        }
    }

    fn create(&mut self, body: &[u8]) -> Reply {
        let body: Value = serde_json::from_slice(body).unwrap();
        assert_eq!(body["type"], "dataset");
        let name = format!(
            "{}/{}",
            body["organization"].as_str().unwrap(),
            body["name"].as_str().unwrap()
        );
        if self.repos.contains_key(&name) {
            return Reply::status(409);
        }
        let attributes = File::Regular(b"*.bin filter=lfs diff=lfs merge=lfs -text\n".to_vec());
        let first = (
            sha1_hex(name.as_bytes()),
            BTreeMap::from([(".gitattributes".to_owned(), attributes)]),
        );
        let repo = Repo {
            private: body["visibility"] == "private",
            commits: vec![first],
        };
        self.repos.insert(name.clone(), repo);
        Reply::json(&json!({"url": format!("{}/datasets/{name}", self.base), "name": name}))
    }

    fn find(&self, repo: &str, revision: &str) -> Option<&(String, BTreeMap<String, File>)> {
        let commits = &self.repos[repo].commits;
        match revision {
            "main" => commits.last(),
            id => commits.iter().find(|(found, _)| found == id),
        }
    }

    fn info(&self, repo: &str, revision: &str) -> Reply {
        match self.find(repo, revision) {
            None => error(404, "RevisionNotFound"),
            Some((id, files)) => {
                let siblings: Vec<Value> = files.keys().map(|path| json!({ "rfilename": path })).collect();
                Reply::json(
                    &json!({"id": repo, "sha": id, "private": self.repos[repo].private, "tags": [],
                    "downloads": 0, "likes": 0, "siblings": siblings}),
                )
            }
        }
    }

    fn tree(&self, repo: &str, revision: &str, query: &str) -> Reply {
        let Some((_, files)) = self.find(repo, revision) else {
            return error(404, "RevisionNotFound");
        };
        let folders = files
            .keys()
            .filter_map(|path| path.rsplit_once('/'))
            .map(|(folder, _)| folder);
        let folders: std::collections::BTreeSet<&str> = folders.collect();
        let mut items: Vec<Value> = folders
            .iter()
            .map(|path| json!({"type": "directory", "oid": "0", "size": 0, "path": path}))
            .collect();
        for (path, file) in files {
            items.push(match file {
                File::Regular(bytes) => {
                    json!({"type": "file", "oid": blob_id(bytes), "size": bytes.len(), "path": path})
                }
                File::Large(oid) => {
                    let size = self.objects[oid].len();
                    json!({"type": "file", "oid": blob_id(oid.as_bytes()), "size": size, "path": path,
                        "lfs": {"oid": oid, "size": size, "pointerSize": 134}})
                }
            });
        }
        let cursor: usize = query
            .split("cursor=")
            .nth(1)
            .map_or(0, |cursor| cursor.parse().unwrap());
        let page = Reply::json(&items.iter().skip(cursor).take(PAGE).cloned().collect());
        if cursor + PAGE >= items.len() {
            return page;
        }
        let next = format!(
            "{}/api/datasets/{repo}/tree/{revision}?recursive=true&expand=false&cursor={}",
            self.base,
            cursor + PAGE
        );
        page.field("Link", &format!("<{next}>; rel=\"next\""))
    }

    fn batch(&mut self, body: &[u8]) -> Reply {
        let body: Value = serde_json::from_slice(body).unwrap();
        let objects = body["objects"].as_array().unwrap().iter().map(|object| {
            let (oid, size) = (object["oid"].as_str().unwrap(), object["size"].as_u64().unwrap());
            if self.objects.contains_key(oid) {
                return json!({"oid": oid, "size": size});
            }
            let verify = json!({"href": format!("{}/lfs/verify/{oid}", self.base), "header": {}});
            let upload = if size <= WHOLE_BYTES_MAX {
                json!({"href": format!("{}/lfs/whole/{oid}", self.base), "header": {}})
            } else {
                let mut header = json!({"chunk_size": PART_BYTES.to_string()});
                for part in 1..=size.div_ceil(PART_BYTES) {
                    header[format!("{part:05}")] = json!(format!("{}/lfs/part/{oid}/{part:05}", self.base));
                }
                json!({"href": format!("{}/lfs/complete/{oid}", self.base), "header": header})
            };
            json!({"oid": oid, "size": size, "actions": {"upload": upload, "verify": verify}})
        });
        Reply::json(&json!({"transfer": "basic", "objects": objects.collect::<Vec<_>>()}))
    }

    /// The store behind LFS: takes bytes only under their digest.
    fn lfs_storage(&mut self, request: &Request, rest: &str) -> Reply {
        let parts: Vec<&str> = rest.split('/').collect();
        let stored = match (request.method.as_str(), parts.as_slice()) {
            ("PUT", ["whole", oid]) => (*oid, request.body.clone()),
            ("PUT", ["part", ..]) => {
                self.parts
                    .insert(rest.trim_start_matches("part/").to_owned(), request.body.clone());
                return Reply::status(200).field("ETag", &format!("\"{}\"", sha1_hex(&request.body)));
            }
            ("POST", ["complete", oid]) => {
                let body: Value = serde_json::from_slice(&request.body).unwrap();
                let mut whole = Vec::new();
                for part in body["parts"].as_array().unwrap() {
                    let bytes = &self.parts[&format!("{oid}/{:05}", part["partNumber"].as_u64().unwrap())];
                    assert_eq!(part["etag"], format!("\"{}\"", sha1_hex(bytes)));
                    whole.extend_from_slice(bytes);
                }
                (*oid, whole)
            }
            ("POST", ["verify", oid]) => {
                let body: Value = serde_json::from_slice(&request.body).unwrap();
                let there = self
                    .objects
                    .get(*oid)
                    .is_some_and(|bytes| body["size"] == bytes.len());
                return Reply::status(if there { 200 } else { 404 });
            }
            _ => return Reply::status(404),
        };
        let (oid, bytes) = stored;
        if sha256_hex(&bytes) != oid {
            return Reply::status(400);
        }
        self.objects.insert(oid.to_owned(), bytes);
        Reply::json(&json!({}))
    }

    fn commit(&mut self, repo: &str, body: &[u8]) -> Reply {
        let lines: Vec<Value> = body
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| serde_json::from_slice(line).unwrap())
            .collect();
        if self.rivals > 0 {
            self.rivals -= 1;
            let commits = &mut self.repos.get_mut(repo).unwrap().commits;
            let files = commits.last().unwrap().1.clone();
            let id = sha1_hex(commits.last().unwrap().0.as_bytes());
            commits.push((id, files));
        }
        let (parent, mut files) = self.repos[repo].commits.last().unwrap().clone();
        if let Some(wanted) = lines[0]["value"]["parentCommit"].as_str()
            && wanted != parent
        {
            return Reply::status(412);
        }
        for line in &lines[1..] {
            let value = &line["value"];
            let path = value["path"].as_str().unwrap().to_owned();
            match line["key"].as_str().unwrap() {
                "file" => {
                    use base64::Engine as _;
                    let bytes =
                        base64::engine::general_purpose::STANDARD.decode(value["content"].as_str().unwrap());
                    files.insert(path, File::Regular(bytes.unwrap()));
                }
                "lfsFile" => {
                    let oid = value["oid"].as_str().unwrap().to_owned();
                    if !self.objects.contains_key(&oid) {
                        return Reply::status(400);
                    }
                    files.insert(path, File::Large(oid));
                }
                "deletedFile" => assert!(files.remove(&path).is_some(), "{path}"),
                other => panic!("{other}"),
            }
        }
        let id = sha1_hex(&[parent.as_bytes(), body].concat());
        self.repos
            .get_mut(repo)
            .unwrap()
            .commits
            .push((id.clone(), files));
        if self.lose_commits > 0 {
            self.lose_commits -= 1;
            return Reply::reset();
        }
        Reply::json(
            &json!({"commitOid": id, "commitUrl": format!("{}/datasets/{repo}/commit/{id}", self.base),
            "success": true}),
        )
    }

    fn resolve(&self, repo: &str, revision: &str, path: &str, request: &Request) -> Reply {
        let Some((id, files)) = self.find(repo, revision) else {
            return error(404, "RevisionNotFound");
        };
        let (bytes, tag) = match files.get(path) {
            None => return error(404, "EntryNotFound"),
            Some(File::Regular(bytes)) => (bytes, blob_id(bytes)),
            Some(File::Large(oid)) => (&self.objects[oid], oid.clone()),
        };
        let reply = match request.range() {
            Some(_) => Reply::part(request, bytes, &tag),
            None => Reply::whole(bytes).field("ETag", &format!("\"{tag}\"")),
        };
        reply.field("X-Repo-Commit", id).field("Accept-Ranges", "bytes")
    }
}

fn preupload(body: &[u8]) -> Reply {
    let body: Value = serde_json::from_slice(body).unwrap();
    let files = body["files"].as_array().unwrap().iter().map(|file| {
        let path = file["path"].as_str().unwrap();
        let is_large = matches!(path.rsplit('.').next(), Some("bin" | "parquet"));
        json!({"path": path, "uploadMode": if is_large { "lfs" } else { "regular" }, "shouldIgnore": path.contains("ignored")})
    });
    Reply::json(&json!({ "files": files.collect::<Vec<_>>() }))
}
