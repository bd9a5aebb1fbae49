//! The command as a whole: what it says without arguments, its help, and the examples in it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may"
)]

mod common;

use common::{outcome, outrigger};

const COMMANDS: [&str; 9] =
    ["run", "render", "analyze", "explain", "compose", "dashboards", "image", "version", "completion"];

#[test]
fn alone_it_says_what_it_can_do() {
    let (code, stdout, stderr) = outcome(&[], "");
    assert_eq!((code, stderr.as_str()), (0, ""));
    for command in COMMANDS {
        assert!(stdout.contains(&format!("  {command} ")), "{stdout}");
    }
}

/// The commands to paste, as they stand there: a shell ends what it reads at a line that is `EOF`, and nothing before it.
fn pasted() -> Vec<(String, String)> {
    let (_, stdout, _) = outcome(&[], "");
    let (mut examples, mut current) = (Vec::new(), None::<(String, String)>);
    for line in stdout.lines() {
        match (&mut current, line) {
            (Some(_), "EOF") => examples.extend(current.take()),
            (Some((_, input)), line) => *input += &format!("{line}\n"),
            (None, line) => {
                current = line.strip_suffix(" <<'EOF'").map(|start| (start.to_owned(), String::new()))
            }
        }
    }
    examples
}

/// What a shell would offer, by the shell itself: Debian's bash is everywhere that tests run.
#[test]
fn bash_completes_commands_and_flags() {
    let (code, script, stderr) = outcome(&["completion", "bash"], "");
    assert_eq!((code, stderr.as_str()), (0, ""));
    let offered = |words: &str| {
        let ask = format!(
            "{script}\nCOMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _outrigger outrigger \"${{COMP_WORDS[-1]}}\" \
             \"${{COMP_WORDS[-2]}}\"; echo \"${{COMPREPLY[@]}}\""
        );
        let output = std::process::Command::new("bash").args(["--norc", "-c", &ask]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(offered("outrigger an").trim(), "analyze");
    assert_eq!(offered("outrigger run --envoy-l").trim(), "--envoy-log-level");
    assert_eq!(offered("outrigger analyze -o sa").trim(), "sarif");
    for shell in ["zsh", "fish", "elvish", "powershell"] {
        let (code, script, _) = outcome(&["completion", shell], "");
        assert!(code == 0 && script.contains("analyze"), "{shell}");
    }
}

#[test]
fn its_two_examples_work_as_pasted() {
    let examples = pasted();
    assert_eq!(examples.len(), 2);
    let program = outrigger(&[]).get_program().to_owned();
    let folder = std::path::Path::new(&program).parent().unwrap().to_owned();
    let shell = |line: &str, input: &str| {
        let mut command = assert_cmd::Command::new("sh");
        let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
        command.arg("-c").arg(line).env("PATH", path).write_stdin(input).output().unwrap()
    };
    let (explain, input) = &examples[0];
    let output = shell(explain, input);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("75 % shop-v1") && text.contains("/cart?id=7"), "{text}");
    // Running needs an Envoy; that the resources and flags are right, `analyze` and `run --help` tell without one.
    let (run, input) = &examples[1];
    let output = shell("outrigger analyze -f -", input);
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "no findings in 1 file\n");
    assert_eq!(shell(&format!("{run} --help"), "").status.code(), Some(0));
}

#[test]
fn every_example_in_the_help_is_a_valid_command_line() {
    let more = ["jwt", "jwt inspect", "jwt mint", "jwt jwks", "image build", "image push", "image inspect"];
    for command in COMMANDS.into_iter().chain(more) {
        let words: Vec<_> = command.split(' ').chain(["--help"]).collect();
        let (code, help, _) = outcome(&words, "");
        assert_eq!(code, 0);
        assert!(help.contains("Exit codes:"), "{help}");
        let examples =
            help.split("Examples:\n").nth(1).unwrap().split("\n\n").next().unwrap().replace("\\\n", " ");
        let lines: Vec<_> =
            examples.lines().filter_map(|line| line.find("outrigger ").map(|at| &line[at..])).collect();
        assert!(lines.len() >= 2, "{help}");
        for line in lines {
            let line = line.split(" && ").next().unwrap().split(" > ").next().unwrap();
            // `--help` at the end is answered only if all before it is understood.
            let program = outrigger(&[]).get_program().to_owned();
            let folder = std::path::Path::new(&program).parent().unwrap().to_owned();
            let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
            let output = assert_cmd::Command::new("sh")
                .arg("-c")
                .arg(format!("{line} --no-such-flag"))
                .env("PATH", path)
                .output()
                .unwrap();
            let stderr = String::from_utf8(output.stderr).unwrap();
            assert!(stderr.contains("unexpected argument '--no-such-flag'"), "{line}: {stderr}");
        }
    }
}

#[test]
fn render_refuses_resources_with_errors_and_says_where() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let arguments = ["render", "-f", "eight-mistakes", "-o", out.to_str().unwrap()];
    let (code, stdout, stderr) = outcome(&arguments, "");
    assert_eq!((code, stdout.as_str()), (1, ""));
    assert!(stderr.contains("eight-mistakes/reviews.yaml:15:5") && stderr.contains("8 errors"), "{stderr}");
    assert!(!out.exists());
}

#[test]
fn a_build_without_modules_says_how_to_get_them() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let out = out.to_str().unwrap();
    // The test's binary may find modules beside it; a folder without any wins over those.
    let arguments = ["render", "-f", "eight-mistakes/gateway.yaml", "-o", out];
    let output = outrigger(&arguments).env("OUTRIGGER_MODULES", folder.path()).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{stderr}");
    assert!(stderr.contains("outrigger.wasm"), "{stderr}");
}

#[test]
fn run_without_an_envoy_says_how_to_get_one() {
    let output = outrigger(&["run", "-f", "eight-mistakes/gateway.yaml", "--envoy", "/no/such/envoy"])
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{stderr}");
    assert!(stderr.contains("/no/such/envoy"), "{stderr}");
}
