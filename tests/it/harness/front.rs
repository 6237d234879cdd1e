//! A server before a registry that counts what is asked and misbehaves on demand.

use std::sync::{Arc, Mutex};

use super::http::{Request, Server, forward, response};

/// What to answer instead of what the server behind says.
#[derive(Clone, Debug)]
pub enum Answer {
    /// A response of the test's own making.
    Response {
        /// The HTTP status.
        status: u16,
        /// Header names and values.
        headers: Vec<(String, String)>,
        /// The body, with the right length.
        body: Vec<u8>,
    },
    /// These bytes, whatever they are, and then the end of the connection.
    Raw(Vec<u8>),
    /// The connection is closed without a word.
    Nothing,
    /// The true answer, cut off after this many bytes of its body.
    CutAfter(usize),
    /// The true answer with the last byte of its body flipped.
    Tampered,
}

impl Answer {
    /// A bare status, with an empty body.
    pub fn status(status: u16) -> Self {
        Self::Response {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// A status with a body of this media type.
    pub fn body(status: u16, media_type: &str, body: impl AsRef<[u8]>) -> Self {
        Self::Response {
            status,
            headers: vec![("Content-Type".into(), media_type.into())],
            body: body.as_ref().to_owned(),
        }
    }

    /// The page of a login portal or a proxy, as a registry that is none sends it.
    pub fn html() -> Self {
        Self::body(200, "text/html", "<!DOCTYPE html><title>Welcome</title>")
    }

    /// The same with one more header.
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        if let Self::Response { headers, .. } = &mut self {
            headers.push((name.into(), value.into()));
        }
        self
    }
}

struct Rule {
    method: String,
    part: String,
    answer: Answer,
    left: Option<usize>,
}

#[derive(Default)]
struct State {
    rules: Vec<Rule>,
    requests: Vec<String>,
    headers: Vec<(String, String)>,
    login: Option<(String, Answer)>,
}

/// An HTTP server of its own address that forwards to another, or to none.
pub struct Front {
    server: Server,
    state: Arc<Mutex<State>>,
}

impl Front {
    /// Before the server at `host` (`127.0.0.1:PORT`), faithful until told otherwise.
    pub fn before(host: &str) -> Self {
        Self::start(Some(host.to_owned()))
    }

    /// Before nothing: what no answer is given for is 404.
    pub fn alone() -> Self {
        Self::start(None)
    }

    fn start(upstream: Option<String>) -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        let server = Server::start(move |request| {
            let answer = shared.lock().expect("no holder panics").note(&request);
            reply(&request, answer, upstream.as_deref())
        });
        Self { server, state }
    }

    /// `127.0.0.1:PORT`.
    pub fn host(&self) -> String {
        self.server.host()
    }

    /// From now on, answers every request of this method whose path and query contain `part`.
    ///
    /// What was said last goes first.
    pub fn always(&self, method: &str, part: &str, answer: Answer) -> &Self {
        self.rule(method, part, answer, None)
    }

    /// Is faithful again, whatever was said.
    pub fn is_faithful(&self) {
        let mut state = self.state.lock().expect("no holder panics");
        state.rules.clear();
    }

    /// Answers the next `times` such requests, then is faithful again.
    pub fn times(&self, times: usize, method: &str, part: &str, answer: Answer) -> &Self {
        self.rule(method, part, answer, Some(times))
    }

    fn rule(&self, method: &str, part: &str, answer: Answer, left: Option<usize>) -> &Self {
        let rule = Rule {
            method: method.into(),
            part: part.into(),
            answer,
            left,
        };
        self.state
            .lock()
            .expect("no holder panics")
            .rules
            .push(rule);
        self
    }

    /// From now on, answers what comes without this login by `refusal`, whatever it is.
    pub fn with_login(&self, login: &super::Login, refusal: Answer) -> &Self {
        let mut state = self.state.lock().expect("no holder panics");
        state.login = Some((login.basic(), refusal));
        drop(state);
        self
    }

    /// Every request so far, as `GET /v2/…`, in the order they came.
    pub fn requests(&self) -> Vec<String> {
        self.state
            .lock()
            .expect("no holder panics")
            .requests
            .clone()
    }

    /// How many requests so far were of this method and had `part` in path or query.
    pub fn count(&self, method: &str, part: &str) -> usize {
        let wanted = |line: &&String| {
            line.split_once(' ')
                .is_some_and(|(verb, target)| verb == method && target.contains(part))
        };
        self.state
            .lock()
            .expect("no holder panics")
            .requests
            .iter()
            .filter(wanted)
            .count()
    }

    /// Every value that this header (in lower case) had in the requests so far.
    pub fn carried(&self, header: &str) -> Vec<String> {
        let state = self.state.lock().expect("no holder panics");
        let wanted = state.headers.iter().filter(|(name, _)| name == header);
        wanted.map(|(_, value)| value.clone()).collect()
    }

    /// Forgets the requests so far, to count anew.
    pub fn forget(&self) {
        self.state
            .lock()
            .expect("no holder panics")
            .requests
            .clear();
    }
}

impl State {
    fn note(&mut self, request: &Request) -> Option<Answer> {
        self.requests
            .push(format!("{} {}", request.method, request.target));
        self.headers.extend(request.headers.iter().cloned());
        if let Some((login, refusal)) = &self.login
            && request.header("authorization") != Some(login)
        {
            return Some(refusal.clone());
        }
        let rule = self.rules.iter_mut().rev().find(|rule| {
            rule.method == request.method
                && request.target.contains(&rule.part)
                && rule.left != Some(0)
        })?;
        rule.left = rule.left.map(|left| left - 1);
        Some(rule.answer.clone())
    }
}

fn reply(request: &Request, answer: Option<Answer>, upstream: Option<&str>) -> Vec<u8> {
    let truth = || match upstream {
        Some(host) => forward(request, host).unwrap_or_else(|_| response(502, &[], b"")),
        None => response(404, &[], b""),
    };
    match answer {
        None => truth(),
        Some(Answer::Raw(bytes)) => bytes,
        Some(Answer::Nothing) => Vec::new(),
        Some(Answer::Response {
            status,
            headers,
            body,
        }) => {
            let headers: Vec<_> = headers
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect();
            response(status, &headers, &body)
        }
        Some(Answer::CutAfter(bytes)) => {
            let mut raw = truth();
            raw.truncate(body_start(&raw) + bytes);
            raw
        }
        Some(Answer::Tampered) => {
            let mut raw = truth();
            let start = body_start(&raw);
            if let Some(last) = raw[start..].last_mut() {
                *last ^= 1;
            }
            raw
        }
    }
}

fn body_start(raw: &[u8]) -> usize {
    raw.windows(4)
        .position(|window| window == b"\r\n\r\n")
        .map_or(raw.len(), |at| at + 4)
}
