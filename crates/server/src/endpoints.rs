//! Where services are: nothing else is ever asked.
//!
//! A task names a service and what it wants of it, never an address: only whoever starts the server says where calls go.
//! Redirects are not followed.

use std::collections::BTreeMap;
use std::sync::Arc;

use hyper::Uri;

/// Where one service answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// `host:port`.
    pub(crate) authority: Arc<str>,
    /// What paths begin with; empty, or without a slash at its end.
    prefix: Arc<str>,
}

/// Where a call goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    /// To the service of this process.
    Here,
    /// Over the network.
    At(Endpoint),
}

/// What stands for a URL and means the service of this process.
const HERE: &str = "local";

/// Services and where they answer, by botocore's names for them. What is not said is answered here, if it can be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoints(BTreeMap<String, Destination>);

impl Endpoints {
    /// Says where a service is: at a URL, or `local`. Refuses what is no URL that can be reached.
    pub fn set(&mut self, service: &str, url: &str) -> Result<(), String> {
        let destination = match url {
            HERE => Destination::Here,
            url => Destination::At(
                Endpoint::parse(url)
                    .map_err(|reason| format!("the endpoint of {service} cannot be '{url}': {reason}"))?,
            ),
        };
        self.0.insert(service.to_owned(), destination);
        Ok(())
    }

    pub(crate) fn get(&self, service: &str) -> Option<&Destination> {
        self.0.get(service)
    }
}

impl Endpoint {
    fn parse(url: &str) -> Result<Endpoint, String> {
        let uri: Uri = url.parse().map_err(|_| "give a URL such as http://127.0.0.1:3001".to_owned())?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => return Err("https cannot be spoken yet; give an http:// URL".to_owned()),
            _ => return Err("give a URL such as http://127.0.0.1:3001".to_owned()),
        }
        let authority = uri.authority().filter(|authority| !authority.host().is_empty());
        let authority = authority.ok_or("it names no host")?;
        if authority.as_str().contains('@') {
            return Err("it must not hold a user or a password".to_owned());
        }
        if uri.query().is_some() {
            return Err("it must not have a query".to_owned());
        }
        Ok(Endpoint { authority: authority.as_str().into(), prefix: uri.path().trim_end_matches('/').into() })
    }

    /// The URL of a path with its query.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{}{path}", self.authority, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_or_refused_with_the_reason() {
        let check = |url: &str, expected: Result<&str, &str>| {
            let read = Endpoint::parse(url).map(|endpoint| endpoint.url("/p?q"));
            assert_eq!(read.as_deref().map_err(String::as_str), expected, "{url}");
        };
        check("http://127.0.0.1:3001", Ok("http://127.0.0.1:3001/p?q"));
        check("http://lambda/", Ok("http://lambda/p?q"));
        check("http://[::1]:1/a/b/", Ok("http://[::1]:1/a/b/p?q"));
        check("https://lambda", Err("https cannot be spoken yet; give an http:// URL"));
        for wrong in ["", "lambda", "127.0.0.1:3001", "ftp://h", "http//x"] {
            check(wrong, Err("give a URL such as http://127.0.0.1:3001"));
        }
        check("http://u:p@h", Err("it must not hold a user or a password"));
        check("http://h/?a=b", Err("it must not have a query"));
        let fault = Endpoints::default().set("sqs", "nowhere").expect_err("no URL");
        assert!(fault.starts_with("the endpoint of sqs cannot be 'nowhere': give a URL"), "{fault}");
    }
}
