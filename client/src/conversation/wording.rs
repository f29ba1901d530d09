//! How a code is asked for where the person says how: the escapes of sudo(8), `-p`.

/// What the escapes stand for.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    /// This host, as it calls itself.
    pub(crate) host: String,
    /// Who asks.
    pub(crate) user: String,
    /// As whom.
    pub(crate) target: String,
}

/// `template` with names in the place of its escapes. What is none stays as it is.
pub(crate) fn wording(template: &str, names: &Names) -> String {
    let mut text = String::with_capacity(template.len());
    let mut rest = template.chars();
    while let Some(letter) = rest.next() {
        if letter != '%' {
            text.push(letter);
            continue;
        }
        match rest.next() {
            Some('H') => text.push_str(&names.host),
            Some('h') => text.push_str(names.host.split('.').next().unwrap_or_default()),
            // The code is always that of whoever asks.
            Some('p' | 'u') => text.push_str(&names.user),
            Some('U') => text.push_str(&names.target),
            Some('%') => text.push('%'),
            Some(other) => text.extend(['%', other]),
            None => text.push('%'),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_escapes_of_sudo_are_names() {
        let names = Names {
            host: "web1.example.org".into(),
            user: "alice".into(),
            target: "%U".into(),
        };
        for (template, text) in [
            ("[%u] as %U on %h: ", "[alice] as %U on web1: "),
            ("%H/%p", "web1.example.org/alice"),
            ("100%% %x %", "100% %x %"),
            ("Code: ", "Code: "),
            ("", ""),
        ] {
            assert_eq!(wording(template, &names), text);
        }
    }
}
