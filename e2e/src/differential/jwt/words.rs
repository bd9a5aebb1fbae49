//! The words that rules and tokens are made of: few, so that tokens often meet a rule, and close to each other, so that
//! they often just miss it.

/// Issuers; some begin like others.
pub(super) const ISSUERS: &[&str] =
    &["https://idp.test", "https://idp.test/", "https://idp", "https://idp.test/realms/x", "a@b.test", "b"];

/// Audiences, of which some are the same to Envoy.
pub(super) const AUDIENCES: &[&str] = &[
    "shop",
    "https://shop",
    "http://shop/",
    "shop/",
    "https://shop//",
    "shop//",
    "Shop",
    "api",
    "http://",
    "/",
];

/// Headers that tokens are looked for in. Some begin like others.
pub(super) const HEADERS: &[&str] =
    &["x-tok", "x-token", "X-Token", "x-token-2", "authorization", "x-jwt_assertion"];

/// What stands before a token. With the end of a header's name some are another header's name.
pub(super) const PREFIXES: &[&str] =
    &["", "Bearer ", "Bearer", "JWT ", "en", "ey", "=", "t", ", ", "Bearer Bearer ", "a.", " "];

/// Query parameters that tokens are looked for in.
pub(super) const PARAMETERS: &[&str] = &["access_token", "token", "t", "Token", "to ken", "t\u{e4}"];

/// Cookies that tokens are looked for in.
pub(super) const COOKIES: &[&str] = &["token", "session", "t", "Token"];

/// Headers that rules write. Some of them are places of tokens too.
pub(super) const WRITTEN: &[&str] =
    &["x-sub", "x-group", "X-Deep", "x-claim-1", "x-claim_2", "x-token", "authorization", "user-agent"];

/// The paths of claims that rules write.
pub(super) const CLAIMS: &[&str] = &[
    "sub",
    "iss",
    "aud",
    "exp",
    "group",
    "nested.id",
    "nested",
    "nested.deep.x",
    "nested.list",
    "list",
    "object",
    "number",
    "float",
    "big",
    "negative",
    "flag",
    "nothing",
    "empty",
    "missing",
    "a.b",
    "scope",
    "nested.",
    ".",
    "control",
    "text",
];

/// Claims whose words rules may take apart.
pub(super) const SPACED: &[&str] = &["roles", "group", "text", "nested.id", "list"];

/// Key ids.
pub(super) const KIDS: &[&str] = &["one", "two", "three", "One", ""];

/// Paths of requests.
pub(super) const PATHS: &[&str] = &["/", "/get", "/a/b", "/x%20y", "/%e4", "//a", "/a;b=c", "/\"quoted\""];

/// Parameters that stand beside a token.
pub(super) const BESIDE: &[&str] = &[
    "x=1",
    "b=%26",
    "a=%20",
    "z",
    "=v",
    "a+b=c",
    "e=%e4",
    "p=%",
    "q=%zz",
    "x=2",
    "long=%41%42",
    "",
    "u=a=b",
    "i=a%3db",
    "h=%23",
    "n%20m=1",
    "%26=1",
];
