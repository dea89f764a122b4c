//! Text as a workbook holds it.

/// Writes text so that XML gives back the same text, and so does what comes after XML.
///
/// What XML 1.0 forbids is written `_xHHHH_`, and a text that looks like that has its first `_` written `_x005F_`
/// (ECMA-376 part 1, 22.9.2.19, ST_Xstring). CR is a reference, or XML would make it LF.
pub(crate) fn write(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    let mut written = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        let escape: &[u8] = match byte {
            b'&' => b"&amp;",
            b'<' => b"&lt;",
            b'>' => b"&gt;",
            b'"' => b"&quot;",
            b'\r' => b"&#13;",
            b'_' if looks_escaped(&bytes[at..]) => b"_x005F_",
            _ if is_forbidden(&bytes[at..]) => b"",
            _ => continue,
        };
        out.extend_from_slice(&bytes[written..at]);
        out.extend_from_slice(escape);
        written = at + 1;
        if escape.is_empty() {
            written = at + write_forbidden(out, &bytes[at..]);
        }
    }
    out.extend_from_slice(&bytes[written..]);
}

/// Whether `_xHHHH` stands here and an `_` will follow, be it the text's or that of an escape.
fn looks_escaped(bytes: &[u8]) -> bool {
    match bytes {
        [b'_', b'x', digits @ ..] if digits.len() > 4 => {
            digits[..4].iter().all(u8::is_ascii_hexdigit) && (digits[4] == b'_' || is_forbidden(&digits[4..]))
        }
        _ => false,
    }
}

/// Control characters but TAB, LF and CR, and U+FFFE and U+FFFF (XML 1.0, production 2).
fn is_forbidden(bytes: &[u8]) -> bool {
    match bytes {
        [b'\t' | b'\n' | b'\r', ..] => false,
        [0..0x20, ..] | [0xef, 0xbf, 0xbe | 0xbf, ..] => true,
        _ => false,
    }
}

/// Tells how many bytes the character took.
fn write_forbidden(out: &mut Vec<u8>, bytes: &[u8]) -> usize {
    let (unit, length) = match bytes {
        [0xef, 0xbf, last, ..] => (0xffc0 | u32::from(last & 0x3f), 3),
        _ => (u32::from(bytes[0]), 1),
    };
    out.extend_from_slice(format!("_x{unit:04X}_").as_bytes());
    length
}

#[cfg(test)]
mod tests {
    fn escaped(text: &str) -> String {
        let mut out = Vec::new();
        super::write(&mut out, text);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_looks_like_an_escape_is_escaped() {
        for (text, expected) in [
            ("a<b>&\"c\"", "a&lt;b&gt;&amp;&quot;c&quot;"),
            ("\u{1}\r\n\t\u{fffe}\u{ffff}", "_x0001_&#13;\n\t_xFFFE__xFFFF_"),
            ("_x0041_", "_x005F_x0041_"),
            ("_x0041_x0042_", "_x005F_x0041_x005F_x0042_"),
            ("_x0041\u{1}", "_x005F_x0041_x0001_"),
            ("_X0041_ _x004_ _x0041", "_X0041_ _x004_ _x0041"),
            ("й\u{ffef}", "й\u{ffef}"),
        ] {
            assert_eq!(escaped(text), expected);
        }
    }
}
