//! Numbers as people read them.

/// Bytes with a decimal unit: `512 B`, `3.1 kB`, `12.0 MB`.
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if count < 1000 {
        return format!("{count} B");
    }
    let mut value = count as f64 / 1000.0;
    let mut unit = 0;
    while value >= 999.95 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// A count with thousands set apart: `1,234,567`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A time that a person wrote, in seconds: a number and `s`, `min`, `h` or `d`, such as `90s`, `2.5h`, `3 d`.
///
/// # Errors
/// What is expected instead.
pub fn seconds(text: &str) -> Result<f64, String> {
    let text = text.trim();
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let factor = match unit.trim() {
        "s" => 1.0,
        "min" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        _ => return Err("expected a number and s, min, h or d, such as 90s or 2.5h".into()),
    };
    match number.parse::<f64>() {
        Ok(number) if (number * factor).is_finite() => Ok(number * factor),
        _ => Err("expected a number before the unit, such as 90s or 2.5h".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_their_unit() {
        let read = ["90s", "1.5 min", "2h", "1d"].map(|text| seconds(text).expect("a time"));
        assert_eq!(read, [90.0, 90.0, 7200.0, 86_400.0]);
        for wrong in ["", "90", "h", "-3s", "2 weeks", "1..2h", "١s"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn bytes_round_into_the_next_unit() {
        let shown = [0, 999, 1000, 999_949, 999_950, 12_000_000, u64::MAX].map(bytes);
        assert_eq!(shown, ["0 B", "999 B", "1.0 kB", "999.9 kB", "1.0 MB", "12.0 MB", "18.4 EB"]);
    }

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!([0, 999, 1000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
    }
}
