//! The words that configurations and requests are made of: few, so that requests often meet a rule, and close to each
//! other, so that they often just miss it.

/// Paths for `exact`.
pub(super) const PATHS: &[&str] = &[
    "/",
    "/a",
    "/a/",
    "/a/b",
    "/A/b",
    "/ab",
    "/api/v1/items",
    "/api/v1",
    "/products",
    "/productpage",
    "/x%2Fy",
    "/x%2fy",
    "/caf%C3%A9",
    "/a.b",
    "/a+b",
    "/a;b=1",
    "/a%20b",
    "/login",
];

/// Paths for `prefix`.
pub(super) const PREFIXES: &[&str] = &[
    "/",
    "/a",
    "/a/",
    "/A",
    "/api",
    "/api/",
    "/api/v1",
    "/products",
    "/product",
    "/x%2F",
    "/a.",
    "/re",
    "/static/",
    "",
    "/api/v1/items/",
];

/// A regex, and texts of which some match it.
pub(super) struct Regex {
    pub(super) source: &'static str,
    pub(super) samples: &'static [&'static str],
}

const fn regex(source: &'static str, samples: &'static [&'static str]) -> Regex {
    Regex { source, samples }
}

/// Regexes for paths.
pub(super) const PATH_REGEXES: &[Regex] = &[
    regex(".*", &["/", "/a", "/any/thing"]),
    regex(".+", &["/", "/a"]),
    regex("/re/[0-9]+", &["/re/1", "/re/42", "/re/", "/re/4x", "/re/١"]),
    regex("/(api|web)/v[12](/.*)?", &["/api/v1", "/web/v2/", "/web/v2/x/y", "/web/v3", "/api/v1x"]),
    regex("(?i)/case/[a-f]+", &["/case/abc", "/CASE/ABC", "/Case/aG"]),
    regex("/caf.", &["/cafe", "/caf\u{e9}", "/caf"]),
    regex("/a|/ab", &["/a", "/ab", "/abc"]),
    regex("/ab?c*", &["/a", "/ab", "/abccc", "/ac", "/abd"]),
    regex(r"/\w+/\d{2,3}", &["/x/12", "/x_y/123", "/x/1", "/x-y/12", "/x/1234"]),
    regex(r"^/anchored$", &["/anchored", "/anchored/", "/xanchored"]),
    regex(r"/x\.y", &["/x.y", "/xzy"]),
    regex("/[^/]+/end", &["/a/end", "/%2F/end", "//end", "/a/b/end"]),
    regex(r"/s\S*", &["/s", "/static", "/s%20"]),
    regex("/(?:one|two){2}", &["/oneone", "/onetwo", "/one", "/oneonetwo"]),
    regex("/[[:alpha:]]*", &["/", "/abc", "/ab1", "/\u{e9}"]),
];

/// Regexes for header and query values.
pub(super) const VALUE_REGEXES: &[Regex] = &[
    regex(".*", &["", "x", "a b"]),
    regex(".+", &["", "x"]),
    regex("v[0-9]+", &["v1", "v22", "v", "V1", "xv1"]),
    regex("^(.*?;)?(user=jason)(;.*)?$", &["user=jason", "a=b;user=jason", "user=jason;c", "user=jasonx"]),
    regex("(?i)admin", &["admin", "ADMIN", "admin "]),
    regex("[^a-z]*", &["", "ABC", "12", "a", "\u{e9}"]),
    regex("caf.", &["cafe", "caf\u{e9}", "caf"]),
    regex("(a|ab)(c|bcd)", &["abcd", "ac", "abc", "acd"]),
    regex(r"\d+\.\d+", &["1.2", "12.34", "1x2", "1."]),
    regex("(user)?", &["", "user", "use"]),
    regex(r".*Chrome/\d+.*", &["Mozilla Chrome/12 x", "Chrome/", "Chrome/1"]),
    regex(r"\bx\b", &["x", "xx"]),
    regex(r"[\x80-\xff]+", &["\u{e9}", "\u{e9}\u{fc}", "e"]),
];

/// Header names to match.
pub(super) const HEADERS: &[&str] = &[
    "x-role",
    "x-env",
    "end-user",
    "cookie",
    "user-agent",
    "accept",
    "x-under_score",
    "X-Mixed",
    "x-role-2",
];

/// Values of headers and query parameters.
pub(super) const VALUES: &[&str] = &[
    "admin",
    "Admin",
    "user",
    "user,admin",
    "v1",
    "v2",
    "a b",
    "adm",
    "admin2",
    "caf\u{e9}",
    "100%",
    "jason",
];

/// Query parameters.
pub(super) const PARAMETERS: &[&str] = &["q", "user", "v", "Q", "empty", "a.b", "x%20y"];

/// Headers to set, add and remove; `cookie`, `x-role` and others are matched and sent too.
pub(super) const CHANGED: &[&str] = &[
    "x-new",
    "x-role",
    "x-env",
    "cookie",
    "user-agent",
    "x-more",
    "X-Upper",
    "accept",
    "via",
    "x-forwarded-for",
];

/// The same for responses; the upstream answers with some of them.
pub(super) const ANSWERED: &[&str] =
    &["x-new", "x-from", "set-cookie", "cache-control", "X-Upper", "location", "x-twice"];

/// Values to set and add.
pub(super) const NEW_VALUES: &[&str] =
    &["one", "two", "", "a, b", "100%%", "with space", "caf\u{e9}", "k=v; Path=/"];

/// Paths to rewrite to.
pub(super) const REWRITES: &[&str] = &["/", "/new", "/new/", "/n?x=1", "/p%2Fq", "//d", "/a"];

/// `uriRegexRewrite`: pattern and replacement.
pub(super) const REGEX_REWRITES: &[(&str, &str)] = &[
    ("^/([^/]+)/(.*)$", r"/\2/\1"),
    ("a", "b"),
    ("/+", "/"),
    ("^/api/v1(.*)", r"/v2\1"),
    ("(?i)/A", r"/z\\"),
    ("[0-9]*", "n"),
    ("/(x)?", r"/[\1\0]"),
    ("e$", "E"),
];

/// New authorities.
pub(super) const AUTHORITIES: &[&str] = &["other.test", "other.test:8443", "UPPER.test", "10.0.0.1"];

/// Methods that are sent.
pub(super) const METHODS: &[&str] =
    &["GET", "GET", "GET", "POST", "PUT", "HEAD", "OPTIONS", "PATCH", "DELETE", "get"];
