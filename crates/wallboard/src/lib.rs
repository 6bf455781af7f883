//! The wallboard's page, as files that a server can hand out.
//!
//! The source is TypeScript in `web/`; what it is built to is committed in `assets/` and embedded here, so that nobody who
//! builds Pegcount needs Node. `web/check-assets.sh` builds it again and fails when anything differs. Not for answering
//! requests: that is `pegcount-server`'s. Invariant: every form of an asset unpacks to the same bytes.

mod files;

/// How an asset's bytes are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As it is.
    Plain,
    /// By gzip.
    Gzip,
    /// By Brotli.
    Brotli,
}

impl Form {
    /// The value of the `content-encoding` header; none for plain bytes.
    pub const fn content_encoding(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Gzip => Some("gzip"),
            Self::Brotli => Some("br"),
        }
    }
}

/// How long a browser may keep an asset without asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Its name holds a hash of its bytes.
    Forever,
    /// Its name stays while its bytes change.
    AskAgain,
}

/// One file of the page.
#[derive(Debug)]
pub struct Asset {
    /// Its path below `/`; the page itself is `index.html`.
    pub path: &'static str,
    /// Its media type, with the charset.
    pub content_type: &'static str,
    /// How long it may be kept.
    pub keep: Keep,
    /// The first 16 digits of its SHA-256.
    pub hash: &'static str,
    plain: &'static [u8],
    gzip: &'static [u8],
    brotli: &'static [u8],
}

impl Asset {
    /// The smallest form that an `accept-encoding` header allows.
    pub fn form(&self, accept_encoding: &str) -> Form {
        let allows = |name: &str| {
            accept_encoding.split(',').any(|one| {
                let mut parts = one.split(';').map(str::trim);
                parts.next().is_some_and(|coding| coding.eq_ignore_ascii_case(name))
                    && !parts.any(|part| part.strip_prefix("q=").is_some_and(is_zero))
            })
        };
        if allows("br") {
            Form::Brotli
        } else if allows("gzip") {
            Form::Gzip
        } else {
            Form::Plain
        }
    }

    /// Its bytes in a form.
    pub fn bytes(&self, form: Form) -> &'static [u8] {
        match form {
            Form::Plain => self.plain,
            Form::Gzip => self.gzip,
            Form::Brotli => self.brotli,
        }
    }

    /// The value of the `etag` header, quotes included; another one for each form.
    pub fn etag(&self, form: Form) -> String {
        format!("\"{}-{}\"", self.hash, form.content_encoding().unwrap_or("plain"))
    }
}

fn is_zero(quality: &str) -> bool {
    quality.parse::<f64>().is_ok_and(|quality| quality <= 0.0)
}

/// The file at a path below `/`.
pub fn find(path: &str) -> Option<&'static Asset> {
    files::ALL.iter().find(|asset| asset.path == path)
}

/// All files of the page.
pub fn all() -> &'static [Asset] {
    files::ALL
}
