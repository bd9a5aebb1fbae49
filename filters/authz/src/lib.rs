//! AuthorizationPolicy: refuses what the policies do not allow.

outrigger_host::filter!(outrigger_host::PolicySet::AUTHZ);
