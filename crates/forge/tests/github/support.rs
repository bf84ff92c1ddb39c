//! A server with the answers that a test sets, and the answers that most tests need.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use patchgate_forge::{GitHub, GitHubOptions};
use patchgate_http::{Client, ClientOptions, Secret};
use patchgate_testkit::{HttpServer, Request, Response};
use serde_json::Value;

pub(crate) const TOKEN: &str = "ghs_secret0123456789";
pub(crate) const HEAD: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
pub(crate) const BASE: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

type Matcher = Box<dyn Fn(&Request) -> bool + Send>;

/// An answer, and the requests that get it.
pub(crate) struct Route {
    matchers: Vec<Matcher>,
    answer: Response,
    most: usize,
    expected: Option<usize>,
    is_first: bool,
    hits: usize,
}

impl Route {
    pub(crate) fn on(matcher: Matcher) -> Self {
        Self {
            matchers: vec![matcher],
            answer: Response::status(200),
            most: usize::MAX,
            expected: None,
            is_first: false,
            hits: 0,
        }
    }

    pub(crate) fn and(mut self, matcher: Matcher) -> Self {
        self.matchers.push(matcher);
        self
    }

    pub(crate) fn answer(mut self, answer: Response) -> Self {
        self.answer = answer;
        self
    }

    /// Answers only so many requests; later ones get the answer of another route.
    pub(crate) fn at_most(mut self, most: usize) -> Self {
        self.most = most;
        self
    }

    /// Fails the test unless there were exactly so many requests.
    pub(crate) fn expect(mut self, expected: usize) -> Self {
        self.expected = Some(expected);
        self
    }

    /// Takes precedence over the other routes. Otherwise the one that was added first does.
    pub(crate) fn first(mut self) -> Self {
        self.is_first = true;
        self
    }

    pub(crate) fn mount(self, server: &Server) {
        let mut routes = server.routes.lock().unwrap();
        let index = if self.is_first { 0 } else { routes.len() };
        routes.insert(index, self);
    }
}

pub(crate) fn method(method: &'static str) -> Matcher {
    Box::new(move |request| request.method == method)
}

/// Matches the path as it was sent, percent-encoded.
pub(crate) fn path(path: impl Into<String>) -> Matcher {
    let path = path.into();
    Box::new(move |request| request.path == path)
}

pub(crate) fn query_param(name: &'static str, value: impl Into<String>) -> Matcher {
    let value = value.into();
    Box::new(move |request| request.parameter(name).as_ref() == Some(&value))
}

pub(crate) fn header(name: &'static str, value: impl Into<String>) -> Matcher {
    let value = value.into();
    Box::new(move |request| request.header(name) == Some(&value))
}

/// Matches a JSON object with at least these fields.
pub(crate) fn body_has(fields: Value) -> Matcher {
    Box::new(move |request| {
        let body = request.json();
        fields
            .as_object()
            .unwrap()
            .iter()
            .all(|(name, value)| body.get(name) == Some(value))
    })
}

/// A server that answers by its routes, and every other request with 404.
pub(crate) struct Server {
    routes: Arc<Mutex<Vec<Route>>>,
    http: HttpServer,
}

impl Server {
    pub(crate) fn start() -> Self {
        let routes = Arc::new(Mutex::new(Vec::<Route>::new()));
        let shared = Arc::clone(&routes);
        let http = HttpServer::start(move |request| {
            let mut routes = shared.lock().unwrap();
            let route = routes.iter_mut().find(|route| {
                route.hits < route.most && route.matchers.iter().all(|matches| matches(request))
            });
            match route {
                Some(route) => {
                    route.hits += 1;
                    route.answer.clone()
                }
                None => Response::status(404),
            }
        });

        Self { routes, http }
    }

    pub(crate) fn uri(&self) -> String {
        self.http.url()
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.http.requests()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        for route in self.routes.lock().unwrap().iter() {
            if let Some(expected) = route.expected {
                assert_eq!(route.hits, expected, "requests with {:?}", route.answer);
            }
        }
    }
}

/// A client that repeats a call twice.
pub(crate) fn github(api: &str) -> GitHub {
    let options = GitHubOptions {
        retries: 2,
        retry_base_delay: Duration::ZERO,
    };
    let http = Client::new(ClientOptions::default()).unwrap();
    GitHub::new(
        &http,
        api,
        &Secret::new(TOKEN),
        "o/r".parse().unwrap(),
        options,
    )
    .unwrap()
}

pub(crate) fn json_answer(status: u16, body: &Value) -> Response {
    Response::json(status, body)
}

/// Answers a `GET` below the repository.
pub(crate) fn get(server: &Server, at: &str, body: Value) {
    Route::on(method("GET"))
        .and(path(format!("/repos/o/r{at}")))
        .answer(json_answer(200, &body))
        .mount(server);
}
