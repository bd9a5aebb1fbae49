//! Fault injection of VirtualServices: delays and aborts.

outrigger_host::filter!(outrigger_host::PolicySet::FAULT);
