//! Wildcards as sudoers(5) has them, read by fnmatch(3), and words as our language has them.

/// One piece of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Char(char),
    /// `*`
    Star,
    /// `?`, or `[a-z]`: one character of several
    One,
}

/// The pieces of a pattern; stars that follow each other are one.
pub(super) fn tokens(pattern: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        let token = match c {
            '*' if tokens.last() == Some(&Token::Star) => continue,
            '*' => Token::Star,
            '?' => Token::One,
            '[' => match class(rest) {
                Some(after) => {
                    rest = after;
                    Token::One
                }
                None => Token::Char('['),
            },
            '\\' => match rest.chars().next() {
                Some(quoted) => {
                    rest = &rest[quoted.len_utf8()..];
                    Token::Char(quoted)
                }
                None => Token::Char('\\'),
            },
            c => Token::Char(c),
        };
        tokens.push(token);
    }
    tokens
}

/// What follows a `[` and its class; `None` where it is not closed and stands for itself.
fn class(rest: &str) -> Option<&str> {
    let negation = rest.starts_with(['!', '^']);
    let body = &rest[usize::from(negation)..];
    // A `]` in the first place is a member of the class.
    let begin = usize::from(body.starts_with(']'));
    let end = body[begin..].find(']')? + begin;
    Some(&body[end + 1..])
}

/// The text of a pattern without wildcards.
pub(super) fn literal(tokens: &[Token]) -> Option<String> {
    tokens
        .iter()
        .map(|token| match token {
            Token::Char(c) => Some(*c),
            Token::Star | Token::One => None,
        })
        .collect()
}

/// The words between spaces.
pub(super) fn words(tokens: &[Token]) -> impl Iterator<Item = &[Token]> {
    tokens.split(|token| *token == Token::Char(' '))
}

/// A word of our language that matches what `tokens` do, or less. `None` where it would say more, or
/// nothing at all.
pub(super) fn word(tokens: &[Token]) -> Option<String> {
    let text = spelled(tokens)?;
    let dots: String = tokens
        .iter()
        .map(|token| match token {
            Token::Char(c) => *c,
            Token::Star | Token::One => '*',
        })
        .collect();
    let wild = literal(tokens).is_none();
    // The language refuses what could never match.
    let steps_up = dots.split('/').any(|part| part == "..") || (wild && dots.contains(".."));
    (!steps_up).then_some(text)
}

/// The same for a deny, which must match no less: one character of several is any number of any.
pub(super) fn wide_word(tokens: &[Token]) -> Option<String> {
    let stars: Vec<_> = tokens
        .iter()
        .map(|token| match token {
            Token::One => Token::Star,
            token => *token,
        })
        .collect();
    let mut merged = stars;
    merged.dedup_by(|a, b| *a == Token::Star && *b == Token::Star);
    word(&merged)
}

fn spelled(tokens: &[Token]) -> Option<String> {
    if tokens.is_empty() {
        return Some("''".into());
    }
    let mut text = String::new();
    for token in tokens {
        match token {
            Token::Char(c) if is_plain(*c) => text.push(*c),
            Token::Char(c) if c.is_control() => return None,
            Token::Char(c) => text.extend(['\\', *c]),
            Token::Star => text.push('*'),
            Token::One => return None,
        }
    }
    // `...` would mean any further arguments.
    if text.ends_with("...") {
        text.insert(text.len() - 1, '\\');
    }
    Some(text)
}

/// Whether a character means itself to our language wherever it stands.
fn is_plain(c: char) -> bool {
    c.is_alphanumeric() || "_-./:=@%+,^".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(pattern: &str) -> Option<String> {
        word(&tokens(pattern))
    }

    #[test]
    fn a_word_keeps_its_meaning_in_our_language() {
        assert_eq!(allowed("restart").as_deref(), Some("restart"));
        assert_eq!(allowed("/var/log/*.log").as_deref(), Some("/var/log/*.log"));
        assert_eq!(allowed(r"\*.c").as_deref(), Some(r"\*.c"));
        assert_eq!(allowed("{};$x").as_deref(), Some(r"\{\}\;\$x"));
        assert_eq!(allowed("a**b").as_deref(), Some("a*b"));
        assert_eq!(allowed("").as_deref(), Some("''"));
        assert_eq!(allowed("...").as_deref(), Some(r"..\."));
        assert_eq!(allowed("[a").as_deref(), Some(r"\[a"));
    }

    #[test]
    fn what_our_language_cannot_say_is_no_word() {
        for pattern in ["a?", "[0-9]", "[!a]x", "[]a]", "../x", "a..*"] {
            assert_eq!(allowed(pattern), None, "{pattern}");
        }
    }

    #[test]
    fn a_word_of_a_deny_is_as_wide_as_it_must_be() {
        let wide = |pattern| wide_word(&tokens(pattern));
        assert_eq!(wide("a?[bc]d").as_deref(), Some("a*d"));
        assert_eq!(wide("?*").as_deref(), Some("*"));
    }
}
