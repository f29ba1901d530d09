//! The blocks of the guide, as it explains them itself under "How to read the blocks".

/// What a block is, and the line of the guide that it begins at.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) line: usize,
    pub(crate) kind: Kind,
}

#[derive(Debug)]
pub(crate) enum Kind {
    /// For a root shell on the server.
    Script(String),
    /// What the script before it prints.
    Printed(Vec<String>),
    /// A file.
    File { path: String, text: String },
    /// Somebody at a terminal.
    Terminal(Vec<String>),
}

/// All blocks, in their order.
///
/// # Panics
/// If there is one that is none of these: it would be in the guide and run by nothing.
pub(crate) fn blocks(guide: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut lines = (1..).zip(guide.lines());
    while let Some((line, fence)) = lines.next() {
        assert!(!fence.starts_with("    "), "line {line}: not in a fence");
        let Some(language) = fence.strip_prefix("```") else {
            continue;
        };
        let inside = lines.by_ref().map(|(_, inside)| inside.to_owned());
        let inside: Vec<_> = inside.take_while(|inside| inside != "```").collect();
        let after_script =
            matches!(blocks.last(), Some(last) if matches!(last.kind, Kind::Script(_)));
        let kind = kind(language, inside, after_script).unwrap_or_else(|why| {
            panic!("the block at line {line}: {why}");
        });
        blocks.push(Block { line, kind });
    }
    blocks
}

fn kind(language: &str, lines: Vec<String>, after_script: bool) -> Result<Kind, String> {
    let first = lines.first().cloned().unwrap_or_default();
    match language {
        "text" if after_script => Ok(Kind::Printed(lines)),
        "text" => Err("what does this print?".into()),
        "console" => Ok(Kind::Terminal(lines)),
        "sh" if matches!(
            first.as_str(),
            "# on the server" | "# on the directory server"
        ) =>
        {
            Ok(Kind::Script(lines.join("\n")))
        }
        "toml" | "sshconfig" => {
            let path = first
                .strip_prefix("# /")
                .ok_or("its first line names no file")?;
            Ok(Kind::File {
                path: format!("/{path}"),
                text: lines.join("\n") + "\n",
            })
        }
        _ => Err(format!(
            "{language:?} with the first line {first:?} is no kind of block"
        )),
    }
}

/// What a line of the guide matches: itself, `…` anything, and white space any other.
pub(crate) fn pattern(line: &str) -> String {
    let words = line.split_whitespace().map(|word| {
        let parts: Vec<_> = word.split('…').map(regex::escape).collect();
        parts.join(".*?")
    });
    words.collect::<Vec<_>>().join(r"\s+")
}

#[test]
fn every_block_has_a_kind() {
    let guide = "text\n```sh\n# on the server\ntrue\n```\n\n```text\nfine …\n```\n```toml\n# /a\nb = 1\n```\n";
    let blocks = blocks(guide);
    assert_eq!(
        blocks.iter().map(|b| b.line).collect::<Vec<_>>(),
        [2, 7, 10]
    );
    assert!(matches!(&blocks[0].kind, Kind::Script(s) if s == "# on the server\ntrue"));
    assert!(
        matches!(&blocks[2].kind, Kind::File { path, text } if path == "/a" && text == "# /a\nb = 1\n")
    );
}

#[test]
#[should_panic(expected = "line 1: \"sh\"")]
fn a_block_that_nothing_runs_is_a_mistake() {
    blocks("```sh\nrm -rf /\n```\n");
}

#[test]
fn a_line_is_matched_with_what_it_leaves_out() {
    let pattern = regex::Regex::new(&pattern("State:  connected, … people")).unwrap();
    assert!(pattern.is_match("State: connected, 20 people"));
    assert!(!pattern.is_match("State: disconnected, 20 people"));
}
