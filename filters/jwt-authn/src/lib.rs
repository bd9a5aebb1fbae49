//! RequestAuthentication: verifies JSON Web Tokens.

outrigger_host::filter!(outrigger_host::PolicySet::JWT);
