//! The five filters in one module: one crossing into the VM, one read of the headers.

outrigger_host::filter!(outrigger_host::PolicySet::ALL);
