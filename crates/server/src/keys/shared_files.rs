//! AWS's shared files, `~/.aws/credentials` and `~/.aws/config`, as its tools write them.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;

use super::Search;

/// Profiles and sessions, with what both files say of them. Holds secrets, and shows nothing.
#[derive(Default)]
pub(super) struct SharedFiles {
    profiles: BTreeMap<String, Section>,
    sessions: BTreeMap<String, Section>,
}

/// Names in small letters, and their values.
pub(super) type Section = BTreeMap<String, String>;

/// What a heading begins.
enum Heading {
    Profile(String),
    Session(String),
    /// Not read here.
    Other,
}

impl SharedFiles {
    /// Reads both; one that is not there says nothing. What the credentials file says of a profile goes before what the
    /// other says.
    pub(super) fn read(search: &Search<'_>) -> Result<SharedFiles, String> {
        let mut files = SharedFiles::default();
        let text = |variable: &str, name: &str| match search.shared_file(variable, name) {
            Some(path) => read(&path),
            None => Ok(String::new()),
        };
        files.add(&text("AWS_CONFIG_FILE", "config")?, heading_of_config);
        files.add(&text("AWS_SHARED_CREDENTIALS_FILE", "credentials")?, |name| Heading::Profile(name.to_owned()));
        Ok(files)
    }

    pub(super) fn profile(&self, name: &str) -> Option<&Section> {
        self.profiles.get(name)
    }

    pub(super) fn session(&self, name: &str) -> Option<&Section> {
        self.sessions.get(name)
    }

    fn add(&mut self, text: &str, heading: impl Fn(&str) -> Heading) {
        let mut at = Heading::Other;
        // Whether the last name had no value: what stands indented below it belongs to it.
        let mut is_nested = false;
        for line in text.lines() {
            let is_indented = line.starts_with([' ', '\t']);
            let line = line.trim();
            if line.is_empty() || line.starts_with(['#', ';']) || (is_indented && is_nested) {
                continue;
            }
            if let Some(named) = line.strip_prefix('[').and_then(|line| line.split(']').next()) {
                at = heading(named.trim());
                is_nested = false;
                match &at {
                    Heading::Profile(name) => drop(self.profiles.entry(name.clone()).or_default()),
                    Heading::Session(name) => drop(self.sessions.entry(name.clone()).or_default()),
                    Heading::Other => {}
                }
                continue;
            }
            let Some((name, value)) = line.split_once('=') else { continue };
            let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
            is_nested = value.is_empty();
            let section = match &at {
                Heading::Profile(name) => self.profiles.get_mut(name),
                Heading::Session(name) => self.sessions.get_mut(name),
                Heading::Other => None,
            };
            if let Some(section) = section.filter(|_| !value.is_empty()) {
                section.insert(name, value.to_owned());
            }
        }
    }
}

/// `default`, `profile NAME` or `sso-session NAME`, as the config file has it.
fn heading_of_config(heading: &str) -> Heading {
    let (kind, name) = heading.split_once([' ', '\t']).unwrap_or((heading, ""));
    let name = name.trim().trim_matches(['"', '\'']).to_owned();
    match kind {
        "default" if name.is_empty() => Heading::Profile(kind.to_owned()),
        "profile" if !name.is_empty() => Heading::Profile(name),
        "sso-session" if !name.is_empty() => Heading::Session(name),
        _ => Heading::Other,
    }
}

fn read(path: &Path) -> Result<String, String> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(text),
        Err(fault) if matches!(fault.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(String::new()),
        Err(fault) => Err(format!("{} cannot be read: {fault}", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_as_awss_tools_write_them() {
        let mut files = SharedFiles::default();
        let config = "# mine\n[default]\nregion = x\ns3 =\n  max_queue_size = 1\n  region = nested\noutput=json\n\n\
                      [profile  other]\naws_access_key_id=CONFIG\nRegion=y\n[profile \"a b\"]\nrole_arn=r\n[sso-session s]\n\
                      sso_region=z\n[services t]\nregion=w\n[plain]\nregion=v\n";
        files.add(config, heading_of_config);
        let credentials = "[default]\n aws_access_key_id = A\naws_secret_access_key=s=1\n[other]\naws_access_key_id=B\n\
                           aws_session_token=\n[empty]\n";
        files.add(credentials, |name| Heading::Profile(name.to_owned()));
        let check = |profile: &str, expected: &[(&str, &str)]| {
            let section = files.profile(profile).unwrap_or_else(|| panic!("{profile}"));
            let section: Vec<(&str, &str)> = section.iter().map(|(name, value)| (&**name, &**value)).collect();
            assert_eq!(section, expected, "{profile}");
        };
        let default =
            [("aws_access_key_id", "A"), ("aws_secret_access_key", "s=1"), ("output", "json"), ("region", "x")];
        check("default", &default);
        check("other", &[("aws_access_key_id", "B"), ("region", "y")]);
        check("a b", &[("role_arn", "r")]);
        check("empty", &[]);
        assert!(files.profile("plain").is_none() && files.profile("t").is_none(), "the config file says 'profile'");
        assert_eq!(files.session("s").and_then(|session| session.get("sso_region")).map(String::as_str), Some("z"));
    }
}
