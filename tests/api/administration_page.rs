//! The commands of docs/administration.md, as they stand there, one after the other.

use std::path::Path;

use regex::Regex;

use crate::process::{Running, open_chat, run_with_input};

/// Commands and what they print, of all blocks of the page.
fn commands(page: &str) -> Vec<(String, String)> {
    let mut commands: Vec<(String, String)> = Vec::new();
    for block in page.split("```console\n").skip(1) {
        let (block, _) = block.split_once("```").expect("an end of the block");
        for line in block.lines() {
            match (line.strip_prefix("$ "), commands.last_mut()) {
                (Some(command), _) => commands.push((command.to_owned(), String::new())),
                (None, Some((_, printed))) => printed.extend([line, "\n"]),
                (None, None) => panic!("no command before {line}"),
            }
        }
    }
    commands
}

#[test]
fn the_page_s_commands_print_what_it_shows() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("docs/administration.md")).unwrap();
    let simulator = Running::start(&mut open_chat(&["simulate", "--port", "0"], &[]), "export");
    let export = simulator.printed.lines().last().unwrap();
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("administration-page");
    let _ = std::fs::remove_dir_all(&directory);
    std::fs::create_dir(&directory).unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_open-chat"));
    let path = format!("{}:/usr/bin:/bin", program.parent().unwrap().display());
    // A package grows with each change of what is in it.
    let varies = Regex::new(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ|\d+ bytes").unwrap();
    let commands = commands(&page);
    assert!(commands.len() > 8, "{commands:?}");
    for (command, printed) in commands {
        if let Some(name) = command.strip_prefix("cat ")
            && !directory.join(name).exists()
        {
            std::fs::write(directory.join(name), &printed).unwrap();
        }
        let mut sh = std::process::Command::new("/bin/sh");
        sh.args(["-c", &format!("{export}\n{{ {command}\n}} 2>&1")]);
        sh.env_clear().env("PATH", &path).current_dir(&directory);
        sh.envs(crate::process::PATIENT);
        let ended = run_with_input(&mut sh, "");
        let shown = |text: &str| {
            varies
                .replace_all(text, "TIME OR SIZE")
                .trim_start_matches('\u{feff}')
                .to_owned()
        };
        assert_eq!(shown(&ended.stdout), shown(&printed), "$ {command}");
    }
}
