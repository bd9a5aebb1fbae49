//! What reads our metrics: Prometheus scrapes a gateway and two sidecars, and is asked what Kiali, Istio's dashboards and
//! our own ask it.

mod ask;
mod istio;
mod kiali;
mod ours;
mod traffic;
