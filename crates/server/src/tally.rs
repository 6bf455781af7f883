//! How many calls of each method were answered, with which code and how fast: the figures that `/metrics` shows.
//!
//! A figure is looked up in the recorder once and then kept, since every call counts.
//!
//! Invariant: there are figures of methods that exist, and of one more for all that do not.

use std::{collections::HashMap, sync::Arc, time::Duration};

use metrics::{Counter, Histogram};
use parking_lot::RwLock;
use tonic::Code;

const ANSWERS: &str = "pegcount_requests_total";
const SECONDS: &str = "pegcount_request_seconds";
/// There are fewer methods. A call that is refused before it is routed may name any.
const METHODS_MAX: usize = 256;
/// What stands for a method that does not exist.
const UNKNOWN: &str = "unknown";

/// The figures of all methods.
#[derive(Default)]
pub(crate) struct Tally(RwLock<HashMap<String, Arc<Method>>>);

/// The figures of one.
struct Method {
    name: String,
    seconds: Histogram,
    /// Of the codes that came so far.
    answers: RwLock<Vec<(Code, Counter)>>,
}

impl Tally {
    /// An answer to `method`, and how long it took, if that says anything.
    pub(crate) fn count(&self, method: &str, code: Code, took: Option<Duration>) {
        let method = self.method(if code == Code::Unimplemented { UNKNOWN } else { method });
        method.answered(code).increment(1);
        if let Some(took) = took {
            method.seconds.record(took);
        }
    }

    fn method(&self, name: &str) -> Arc<Method> {
        if let Some(known) = self.0.read().get(name) {
            return Arc::clone(known);
        }
        let mut methods = self.0.write();
        let name = if methods.len() < METHODS_MAX { name } else { UNKNOWN };
        Arc::clone(methods.entry(name.to_owned()).or_insert_with(|| Arc::new(Method::new(name.to_owned()))))
    }
}

impl Method {
    fn new(name: String) -> Self {
        let seconds = metrics::histogram!(SECONDS, "method" => name.clone());
        Self { name, seconds, answers: RwLock::default() }
    }

    fn answered(&self, code: Code) -> Counter {
        let known = |answers: &[(Code, Counter)]| {
            answers.iter().find(|(known, _)| *known == code).map(|(_, counter)| counter.clone())
        };
        if let Some(counter) = known(&self.answers.read()) {
            return counter;
        }
        let mut answers = self.answers.write();
        known(&answers).unwrap_or_else(|| {
            let (method, code_word) = (self.name.clone(), format!("{code:?}"));
            let counter = metrics::counter!(ANSWERS, "method" => method, "code" => code_word);
            answers.push((code, counter.clone()));
            counter
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_that_do_not_exist_share_one_place() {
        let tally = Tally::default();
        for method in 0..100 {
            tally.count(&format!("/a.B/{method}"), Code::Unimplemented, None);
        }
        tally.count("/a.B/C", Code::Ok, Some(Duration::from_millis(1)));
        tally.count("/a.B/C", Code::NotFound, None);
        let methods = tally.0.read();
        let mut names: Vec<_> = methods.keys().collect();
        names.sort();
        assert_eq!(names, ["/a.B/C", UNKNOWN]);
        assert_eq!(methods["/a.B/C"].answers.read().len(), 2);
    }

    #[test]
    fn names_of_refused_calls_do_not_fill_the_memory() {
        let tally = Tally::default();
        for method in 0..2 * METHODS_MAX {
            tally.count(&format!("/a.B/{method}"), Code::ResourceExhausted, None);
        }
        assert!(tally.0.read().len() <= METHODS_MAX + 1);
    }
}
