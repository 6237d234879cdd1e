//! Bare repositories over HTTP, by git's own `http-backend`.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use super::Login;
use super::http::{Request, Server, response};

/// A loopback HTTP server for the bare repositories in a folder: fetch and push.
pub struct GitHttp {
    server: Server,
    requests: Arc<Mutex<Vec<String>>>,
}

impl GitHttp {
    /// Serves `folder/NAME.git` as `http://HOST/NAME.git` to everyone.
    pub fn serve(folder: &Path) -> Self {
        Self::start(folder, None)
    }

    /// The same, to this login alone.
    pub fn behind(folder: &Path, login: &Login) -> Self {
        Self::start(folder, Some(login.clone()))
    }

    fn start(folder: &Path, login: Option<Login>) -> Self {
        let root = folder.canonicalize().expect("the folder is there");
        let requests = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&requests);
        let server = Server::start(move |request| {
            let line = format!("{} {}", request.method, request.target);
            noted.lock().expect("no holder panics").push(line);
            match &login {
                Some(login) if request.header("authorization") != Some(&login.basic()) => {
                    response(401, &[("WWW-Authenticate", "Basic realm=\"test\"")], b"")
                }
                _ => backend(&root, request, login.as_ref()),
            }
        });
        Self { server, requests }
    }

    /// `127.0.0.1:PORT`.
    pub fn host(&self) -> String {
        self.server.host()
    }

    /// The address of the repository in `folder/NAME`, such as `yard.git`.
    pub fn url(&self, name: &str) -> String {
        format!("http://{}/{name}", self.host())
    }

    /// Every request so far, as `GET /yard.git/info/refs?service=…`.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("no holder panics").clone()
    }
}

/// Runs `git http-backend` for one request, after the CGI specification (RFC 3875).
fn backend(root: &PathBuf, request: Request, login: Option<&Login>) -> Vec<u8> {
    let (path, query) = request
        .target
        .split_once('?')
        .unwrap_or((&request.target, ""));
    let mut command = Command::new("git");
    command
        .arg("http-backend")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        // http-backend takes pushes only of a user whom the web server vouches for.
        .env("REMOTE_USER", login.map_or("anyone", |login| &login.user))
        .env("REMOTE_ADDR", "127.0.0.1")
        .env("REQUEST_METHOD", &request.method)
        .env("PATH_INFO", path)
        .env("QUERY_STRING", query)
        .env(
            "CONTENT_TYPE",
            request.header("content-type").unwrap_or_default(),
        )
        .env("CONTENT_LENGTH", request.body.len().to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit());
    if let Some(encoding) = request.header("content-encoding") {
        command.env("HTTP_CONTENT_ENCODING", encoding);
    }
    if let Some(protocol) = request.header("git-protocol") {
        command.env("GIT_PROTOCOL", protocol);
    }
    let mut child = command
        .spawn()
        .expect("git is installed, with its http-backend");
    let mut stdin = child.stdin.take().expect("its input is piped");
    let body = request.body;
    // It may refuse without reading the body; the answer tells.
    let writer = thread::spawn(move || drop(stdin.write_all(&body)));
    let output = child
        .wait_with_output()
        .expect("a started child can be awaited");
    writer.join().expect("the writer does not panic");
    from_cgi(&output.stdout)
}

/// Turns a CGI answer, whose status is a header of its own, into an HTTP response.
fn from_cgi(output: &[u8]) -> Vec<u8> {
    let end = output.windows(4).position(|window| window == b"\r\n\r\n");
    let Some(end) = end else {
        return response(500, &[], b"git http-backend gave no answer");
    };
    let head = String::from_utf8_lossy(&output[..end]).into_owned();
    let mut status = 200;
    let mut headers = Vec::new();
    for (name, value) in head.lines().filter_map(|line| line.split_once(": ")) {
        if name == "Status" {
            status = value
                .split(' ')
                .next()
                .and_then(|code| code.parse().ok())
                .unwrap_or(500);
        } else {
            headers.push((name, value));
        }
    }
    response(status, &headers, &output[end + 4..])
}
