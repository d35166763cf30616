//! C's integers as a compiler for Windows has them: `int` and `long` of 32 bits, `long long` of 64.

/// A type that arithmetic is done in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct IntegerType {
    /// 8, 16, 32 or 64.
    pub(crate) bits: u32,
    pub(crate) signed: bool,
}

impl IntegerType {
    pub(crate) const INT: Self = Self { bits: 32, signed: true };
    pub(crate) const UNSIGNED: Self = Self { bits: 32, signed: false };
    pub(crate) const LONG_LONG: Self = Self { bits: 64, signed: true };
    pub(crate) const UNSIGNED_LONG_LONG: Self = Self { bits: 64, signed: false };

    fn least(self) -> i128 {
        if self.signed { -(1i128 << (self.bits - 1)) } else { 0 }
    }

    fn largest(self) -> i128 {
        if self.signed { (1i128 << (self.bits - 1)) - 1 } else { (1i128 << self.bits) - 1 }
    }

    pub(crate) fn holds(self, value: i128) -> bool {
        (self.least()..=self.largest()).contains(&value)
    }

    /// The value's low bits.
    pub(crate) fn wrap(self, value: i128) -> i128 {
        let low = value & ((1i128 << self.bits) - 1);
        if self.signed && low > self.largest() { low - (1i128 << self.bits) } else { low }
    }

    /// What arithmetic on it is done in.
    fn promoted(self) -> Self {
        if self.bits < 32 { Self::INT } else { self }
    }

    /// The common type of two operands.
    fn common(self, other: Self) -> Self {
        let (a, b) = (self.promoted(), other.promoted());
        match a.bits.cmp(&b.bits) {
            std::cmp::Ordering::Greater => a,
            std::cmp::Ordering::Less => b,
            std::cmp::Ordering::Equal => Self { bits: a.bits, signed: a.signed && b.signed },
        }
    }
}

/// A value of a type; it always fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Integer {
    pub(crate) value: i128,
    pub(crate) of: IntegerType,
}

/// A result, and what it would be with bits enough where those it has are too few.
pub(crate) struct Computed {
    pub(crate) integer: Integer,
    pub(crate) overflow: Option<i128>,
}

impl Integer {
    pub(crate) fn new(value: i128, of: IntegerType) -> Self {
        Self { value: of.wrap(value), of }
    }

    pub(crate) fn int(value: i128) -> Self {
        Self::new(value, IntegerType::INT)
    }

    pub(crate) fn truth(value: bool) -> Self {
        Self::int(i128::from(value))
    }

    pub(crate) fn is_true(self) -> bool {
        self.value != 0
    }

    /// The type a number without suffix has.
    pub(crate) fn of_constant(value: u32) -> Self {
        let of = if value > i32::MAX as u32 { IntegerType::UNSIGNED } else { IntegerType::INT };
        Self::new(i128::from(value), of)
    }

    /// A number as C spells it: decimal, `0x`, `0b`, octal, with suffixes and separators.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.replace('\'', "").to_ascii_lowercase();
        let (radix, digits) = if let Some(rest) = text.strip_prefix("0x") {
            (16, rest)
        } else if let Some(rest) = text.strip_prefix("0b") {
            (2, rest)
        } else if text.len() > 1 && text.starts_with('0') && text.as_bytes()[1].is_ascii_digit() {
            (8, &text[1..])
        } else {
            (10, text.as_str())
        };
        let end = digits.find(|digit: char| !digit.is_digit(radix)).unwrap_or(digits.len());
        let (digits, suffix) = digits.split_at(end);
        let value = i128::from(u64::from_str_radix(digits, radix).ok()?);
        let (unsigned, wide) = match suffix {
            "" | "l" | "i32" => (false, false),
            "u" | "ul" | "lu" | "ui32" => (true, false),
            "ll" | "i64" => (false, true),
            "ull" | "llu" | "ui64" | "uz" | "zu" => (true, true),
            "z" => (false, true),
            _ => return None,
        };
        let may_be_unsigned = unsigned || radix != 10;
        let candidates = [
            (!unsigned && !wide, IntegerType::INT),
            (may_be_unsigned && !wide, IntegerType::UNSIGNED),
            (!unsigned, IntegerType::LONG_LONG),
            (may_be_unsigned, IntegerType::UNSIGNED_LONG_LONG),
        ];
        let of = candidates.into_iter().find(|(may, of)| *may && of.holds(value)).map(|(_, of)| of)?;
        Some(Self { value, of })
    }

    /// A character constant. Several characters in one make an `int`, the last in its lowest byte.
    pub(crate) fn parse_character(text: &str) -> Option<Self> {
        let start = text.find('\'')?;
        let wide = start > 0;
        let inner = text.get(start + 1..)?.strip_suffix('\'')?;
        let mut rest = inner.chars().peekable();
        let mut value = 0i128;
        let mut count = 0;
        while let Some(character) = rest.next() {
            let unit = if character == '\\' { escape(&mut rest)? } else { i128::from(u32::from(character)) };
            value = if wide { unit } else { (value << 8) | (unit & 0xFF) };
            count += 1;
        }
        match count {
            0 => None,
            // A single `char` is signed.
            1 if !wide => Some(Self::int(IntegerType { bits: 8, signed: true }.wrap(value))),
            1..=4 => Some(Self::int(value)),
            _ => None,
        }
    }

    pub(crate) fn cast(self, of: IntegerType) -> Computed {
        let overflow = (!of.holds(self.value) && !fits_as_bits(self.value, of.bits)).then_some(self.value);
        Computed { integer: Self::new(self.value, of), overflow }
    }

    pub(crate) fn negate(self) -> Self {
        Self::new(-self.value, self.of.promoted())
    }

    pub(crate) fn complement(self) -> Self {
        Self::new(!self.value, self.of.promoted())
    }

    pub(crate) fn promote(self) -> Self {
        Self::new(self.value, self.of.promoted())
    }

    /// A binary operator; `Err` says why there is no value.
    pub(crate) fn binary(self, operator: &str, other: Self) -> Result<Computed, &'static str> {
        let plain = |integer| Computed { integer, overflow: None };
        if matches!(operator, "<<" | ">>") {
            let left = self.promote();
            if !(0..i128::from(left.of.bits)).contains(&other.value) {
                return Err("it shifts by fewer than 0 or by all bits");
            }
            if operator == ">>" {
                return Ok(plain(Self::new(left.value >> other.value, left.of)));
            }
            let exact = left.value << other.value;
            let overflow = !left.of.holds(exact) && !fits_as_bits(exact, left.of.bits);
            return Ok(Computed { integer: Self::new(exact, left.of), overflow: overflow.then_some(exact) });
        }
        let of = self.of.common(other.of);
        let (a, b) = (of.wrap(self.value), of.wrap(other.value));
        let truth = |value| Ok(plain(Self::truth(value)));
        let exact = match operator {
            "==" => return truth(a == b),
            "!=" => return truth(a != b),
            "<" => return truth(a < b),
            ">" => return truth(a > b),
            "<=" => return truth(a <= b),
            ">=" => return truth(a >= b),
            "&" => a & b,
            "|" => a | b,
            "^" => a ^ b,
            // Wrapping below 0 is a usual way to write the largest number.
            "-" if !of.signed => return Ok(plain(Self::new(a - b, of))),
            "-" => a - b,
            "+" => a + b,
            // 64 by 64 bits can be over 127.
            "*" => a.checked_mul(b).unwrap_or(i128::MAX),
            "/" | "%" if b == 0 => return Err("it divides by 0"),
            "/" => a / b,
            "%" => a % b,
            _ => return Err("this operator gives no constant"),
        };
        let overflow = (!of.holds(exact)).then_some(exact);
        let integer = if operator == "*" { Self::new(a.wrapping_mul(b), of) } else { Self::new(exact, of) };
        Ok(Computed { integer, overflow })
    }
}

/// A value that has these bits, read as signed or unsigned: what a cast between the two loses is nothing.
fn fits_as_bits(value: i128, bits: u32) -> bool {
    (-(1i128 << (bits - 1))..(1i128 << bits)).contains(&value) || value == i128::from(u64::MAX)
}

fn escape(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<i128> {
    let character = rest.next()?;
    Some(match character {
        'n' => 10,
        't' => 9,
        'r' => 13,
        'a' => 7,
        'b' => 8,
        'f' => 12,
        'v' => 11,
        'x' => {
            let mut value = 0u32;
            while let Some(digit) = rest.peek().and_then(|digit| digit.to_digit(16)) {
                value = (value << 4) | digit;
                rest.next();
            }
            i128::from(value)
        }
        '0'..='7' => {
            let mut value = character.to_digit(8)?;
            for _ in 0..2 {
                let Some(digit) = rest.peek().and_then(|digit| digit.to_digit(8)) else { break };
                value = value * 8 + digit;
                rest.next();
            }
            i128::from(value)
        }
        other => i128::from(u32::from(other)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_value_and_type_of_c() {
        use IntegerType as T;
        for (text, value, of) in [
            ("0", 0, T::INT),
            ("4096", 4096, T::INT),
            ("010", 8, T::INT),
            ("0x80000000", 0x8000_0000, T::UNSIGNED),
            ("2147483648", 0x8000_0000, T::LONG_LONG),
            ("0XfFuL", 255, T::UNSIGNED),
            ("1'000'000", 1_000_000, T::INT),
            ("0b101", 5, T::INT),
            ("7i64", 7, T::LONG_LONG),
            ("0xFFFFFFFFFFFFFFFF", i128::from(u64::MAX), T::UNSIGNED_LONG_LONG),
        ] {
            assert_eq!(Integer::parse(text), Some(Integer { value, of }), "{text}");
        }
        for text in ["1.5", "1e3", "0x", "08", "12abc", "18446744073709551616", "", "18446744073709551615"] {
            assert_eq!(Integer::parse(text), None, "{text}");
        }
    }

    #[test]
    fn characters_have_the_value_of_c() {
        for (text, value) in [
            ("'A'", 65),
            (r"'\n'", 10),
            (r"'\x41'", 65),
            (r"'\101'", 65),
            ("'ab'", 0x6162),
            ("L'A'", 65),
            (r"'\xFF'", -1),
        ] {
            assert_eq!(Integer::parse_character(text).map(|integer| integer.value), Some(value), "{text}");
        }
        assert_eq!(Integer::parse_character("''"), None);
        assert_eq!(Integer::parse_character("'a"), None);
    }

    #[test]
    fn arithmetic_wraps_as_c_does_and_says_so() {
        let int = |text| Integer::parse(text).unwrap();
        for (left, operator, right, value, overflows) in [
            ("65536", "*", "65536", 0, true),
            ("65536u", "*", "65537u", 65536, true),
            ("65536ull", "*", "65536", 1i128 << 32, false),
            ("0u", "-", "1", 0xFFFF_FFFF, false),
            ("0x7FFFFFFF", "+", "1", -0x8000_0000, true),
            ("1", "<<", "31", -0x8000_0000, false),
            ("3", "<<", "31", -0x8000_0000, true),
            ("0x80000000", "|", "2", 0x8000_0002, false),
            ("7", "/", "2", 3, false),
            ("0xFFFFFFFFFFFFFFFF", "*", "0xFFFFFFFFFFFFFFFF", 1, true),
        ] {
            let computed = int(left).binary(operator, int(right)).unwrap_or_else(|why| panic!("{left}: {why}"));
            assert_eq!(
                (computed.integer.value, computed.overflow.is_some()),
                (value, overflows),
                "{left} {operator} {right}"
            );
        }
        assert!(int("1").binary("/", int("0")).is_err() && int("1").binary("<<", int("32")).is_err());
    }
}
