//! The program, and others, as processes.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

/// Time enough on a machine that is busy with other things, for all that a test is not about. A
/// test whose subject is a time sets its own.
pub const PATIENT: [(&str, &str); 3] = [
    ("CHATHUB_CONNECT_TIMEOUT", "2m"),
    ("CHATHUB_ATTEMPT_TIMEOUT", "2m"),
    ("CLICK_BUDGET", "5m"),
];

/// The program with an empty environment but for these variables, and [`PATIENT`] under them.
pub fn open_chat(arguments: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_open-chat"));
    command
        .args(arguments)
        .env_clear()
        .envs(PATIENT)
        .envs(variables.iter().copied());
    command
}

/// How a command has ended, and what it has printed.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// Runs a command to its end: exit code, and everything that it printed.
pub fn run(command: &mut Command) -> (Option<i32>, String) {
    let ended = run_with_input(command, "");
    (ended.code, ended.stdout + &ended.stderr)
}

/// Runs a command that reads `input` to its end. One that does not end is killed, and the test
/// fails.
pub fn run_with_input(command: &mut Command, input: &str) -> Ended {
    let mut child = piped(command);
    // It may end without having read everything.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    end(child)
}

/// Starts a command whose output is kept for [`end`].
pub fn piped(command: &mut Command) -> Child {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Waits for the end of a process. One that does not end is killed, and the test fails.
pub fn end(child: Child) -> Ended {
    const PATIENCE: Duration = Duration::from_mins(10);
    let (id, (ended, end)) = (child.id(), channel());
    let watch = std::thread::spawn(move || {
        let in_time = end.recv_timeout(PATIENCE).is_ok();
        if !in_time {
            let _ = Command::new("kill").args(["-9", &id.to_string()]).status();
        }
        in_time
    });
    let Output {
        status,
        stdout,
        stderr,
    } = child.wait_with_output().unwrap();
    let _ = ended.send(());
    let [stdout, stderr] = [stdout, stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert!(watch.join().unwrap(), "it did not end: {stdout}{stderr}");
    Ended {
        code: status.code(),
        stdout,
        stderr,
    }
}

/// Ctrl-C.
pub fn interrupt(child: &Child) {
    let id = child.id().to_string();
    let told = Command::new("kill").args(["-INT", &id]).status();
    assert!(told.unwrap().success());
}

/// A running process, ended with the test; what it has printed up to a line that contains `mark`.
/// The rest goes to a file that the whole run's search for secrets reads.
pub struct Running {
    pub child: Child,
    pub printed: String,
}

impl Running {
    pub fn start(command: &mut Command, mark: &str) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut printed = String::new();
        loop {
            let start = printed.len();
            if output.read_line(&mut printed).unwrap() == 0 || printed[start..].contains(mark) {
                break;
            }
        }
        let log = Path::new(env!("CARGO_TARGET_TMPDIR")).join("processes.log");
        let mut log = File::options().create(true).append(true).open(log).unwrap();
        log.write_all(printed.as_bytes()).unwrap();
        std::thread::spawn(move || std::io::copy(&mut output, &mut log));
        Self { child, printed }
    }

    /// The first URL that it has printed with this path.
    pub fn url(&self, path: &str) -> String {
        self.printed
            .split(|c: char| c.is_whitespace() || c == '\'')
            .find(|word| word.starts_with("http://") && word.contains(path))
            .unwrap_or_else(|| panic!("no URL with {path} in {}", self.printed))
            .to_owned()
    }

    /// Ends it as the kernel would when memory runs out: without a word.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
