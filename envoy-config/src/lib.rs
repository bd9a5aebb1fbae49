//! The outrigger command: load, analyze, explain, render, run.
