//! Routes of VirtualServices: chooses the cluster, rewrites, redirects, changes headers.

outrigger_host::filter!(outrigger_host::PolicySet::ROUTE);
