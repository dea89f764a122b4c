//! Set algebra: who is in a combination of segments, written as `(VIP & IOS) - STAFF`.

use std::{collections::BTreeSet, fmt};

use thiserror::Error;

use crate::{Slug, TextError};

/// A combination of segments. `-` binds tightest, then `&`, `^` and `|`, each from the left, as in Python's sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expression {
    /// Every user there is.
    All,
    Segment(Slug),
    Combined(Operator, Box<Expression>, Box<Expression>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// In both.
    And,
    /// In one of them, or in both.
    Or,
    /// In the first, and not in the second.
    Minus,
    /// In one of them, and not in both.
    Xor,
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("column {column}: {fault}")]
pub struct AlgebraError {
    /// Counts characters, from 1.
    pub column: usize,
    pub fault: AlgebraFault,
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AlgebraFault {
    #[error("a segment, ALL or ( is expected here, not {0}")]
    OperandExpected(Found),
    #[error("an operator (&, |, -, ^) is expected here, not {0}")]
    OperatorExpected(Found),
    #[error("this ( is never closed")]
    Unclosed,
    #[error(transparent)]
    Slug(#[from] TextError),
    #[error("parentheses stand at most {max} deep", max = Expression::DEPTH_MAX)]
    TooDeep,
    #[error("an expression has at most {max} characters", max = Expression::CHARS_MAX)]
    TooLong,
    #[error("an expression names at most {max} segments", max = Expression::OPERANDS_MAX)]
    TooMany,
}

/// What stands where something else should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    Char(char),
    Word,
    End,
}

impl Operator {
    const ALL: [Operator; 4] = [Operator::And, Operator::Or, Operator::Minus, Operator::Xor];

    fn sign(self) -> char {
        match self {
            Operator::And => '&',
            Operator::Or => '|',
            Operator::Minus => '-',
            Operator::Xor => '^',
        }
    }

    /// How tightly it binds.
    fn strength(self) -> u8 {
        match self {
            Operator::Or => 1,
            Operator::Xor => 2,
            Operator::And => 3,
            Operator::Minus => 4,
        }
    }

    /// Whether somebody is in the combination, who is in the operands or not.
    pub fn holds(self, first: bool, second: bool) -> bool {
        match self {
            Operator::And => first && second,
            Operator::Or => first || second,
            Operator::Minus => first && !second,
            Operator::Xor => first != second,
        }
    }
}

impl Expression {
    /// Room for each operand with the operator before it, two blanks and a pair of parentheses: so that whatever was read
    /// can be read again as it is written.
    pub const CHARS_MAX: usize = Expression::OPERANDS_MAX * (Slug::CHARS_MAX + 5);
    pub const DEPTH_MAX: usize = 32;
    pub const OPERANDS_MAX: usize = 64;
    /// The word for every user, which no slug can be.
    pub const ALL: &str = "ALL";

    /// A slug may hold `-`: one that follows a slug at once belongs to it, so the operator is written with a blank before.
    pub fn parse(text: &str) -> Result<Expression, AlgebraError> {
        if let Some((at, _)) = text.char_indices().nth(Expression::CHARS_MAX) {
            return Err(AlgebraError { column: column(text, at), fault: AlgebraFault::TooLong });
        }
        let mut parser = Parser { text, at: 0, depth: 0, operands: 0 };
        let expression = parser.combined(0)?;
        match parser.peek() {
            None => Ok(expression),
            Some(_) => Err(parser.expected(AlgebraFault::OperatorExpected)),
        }
    }

    /// The segments that it names, each once.
    pub fn segments(&self) -> BTreeSet<&Slug> {
        match self {
            Expression::All => BTreeSet::new(),
            Expression::Segment(slug) => BTreeSet::from([slug]),
            Expression::Combined(_, first, second) => first.segments().into_iter().chain(second.segments()).collect(),
        }
    }

    /// Whether somebody who is in no segment may be in it.
    pub fn names_everybody(&self) -> bool {
        match self {
            Expression::All => true,
            Expression::Segment(_) => false,
            Expression::Combined(_, first, second) => first.names_everybody() || second.names_everybody(),
        }
    }

    /// Whether a user is in it, of whom `is_in` tells the segments.
    pub fn holds(&self, is_in: &impl Fn(&Slug) -> bool) -> bool {
        match self {
            Expression::All => true,
            Expression::Segment(slug) => is_in(slug),
            Expression::Combined(operator, first, second) => operator.holds(first.holds(is_in), second.holds(is_in)),
        }
    }
}

/// With no more parentheses than it needs; what it says is parsed to the same.
impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operand = |f: &mut fmt::Formatter<'_>, operand: &Expression, strength_min: u8| match operand {
            Expression::Combined(inner, ..) if inner.strength() < strength_min => write!(f, "({operand})"),
            _ => write!(f, "{operand}"),
        };
        match self {
            Expression::All => f.write_str(Expression::ALL),
            Expression::Segment(slug) => slug.fmt(f),
            Expression::Combined(operator, first, second) => {
                operand(f, first, operator.strength())?;
                write!(f, " {} ", operator.sign())?;
                operand(f, second, operator.strength() + 1)
            }
        }
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Found::Char(char) => write!(f, "`{}`", char.escape_debug()),
            Found::Word => f.write_str("a segment"),
            Found::End => f.write_str("the end"),
        }
    }
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
    operands: usize,
}

impl Parser<'_> {
    /// Operands, with the operators between them that bind tighter than `strength`.
    fn combined(&mut self, strength: u8) -> Result<Expression, AlgebraError> {
        let mut first = self.operand()?;
        while let Some(operator) = self.peek().and_then(|sign| Operator::ALL.into_iter().find(|one| one.sign() == sign))
            && operator.strength() > strength
        {
            self.at += 1;
            let second = self.combined(operator.strength())?;
            first = Expression::Combined(operator, Box::new(first), Box::new(second));
        }
        Ok(first)
    }

    fn operand(&mut self) -> Result<Expression, AlgebraError> {
        match self.peek() {
            Some('(') => self.in_parentheses(),
            Some(char) if Slug::may_hold(char) && char != '-' => self.word(),
            _ => Err(self.expected(AlgebraFault::OperandExpected)),
        }
    }

    fn in_parentheses(&mut self) -> Result<Expression, AlgebraError> {
        let opened_at = self.at;
        if self.depth == Expression::DEPTH_MAX {
            return Err(self.fault_at(opened_at, AlgebraFault::TooDeep));
        }
        self.depth += 1;
        self.at += 1;
        let inner = self.combined(0)?;
        match self.peek() {
            Some(')') => {}
            None => return Err(self.fault_at(opened_at, AlgebraFault::Unclosed)),
            Some(_) => return Err(self.expected(AlgebraFault::OperatorExpected)),
        }
        self.depth -= 1;
        self.at += 1;
        Ok(inner)
    }

    fn word(&mut self) -> Result<Expression, AlgebraError> {
        let rest = &self.text[self.at..];
        let length = rest.find(|char| !Slug::may_hold(char)).unwrap_or(rest.len());
        let (word, begins_at) = (&rest[..length], self.at);
        if self.operands == Expression::OPERANDS_MAX {
            return Err(self.fault_at(begins_at, AlgebraFault::TooMany));
        }
        self.operands += 1;
        self.at += length;
        match word {
            Expression::ALL => Ok(Expression::All),
            word => Slug::parse(word).map(Expression::Segment).map_err(|error| self.fault_at(begins_at, error.into())),
        }
    }

    /// The next character that is no white space, and where it stands.
    fn peek(&mut self) -> Option<char> {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
        self.text[self.at..].chars().next()
    }

    fn expected(&mut self, fault: fn(Found) -> AlgebraFault) -> AlgebraError {
        let found = match self.peek() {
            None => Found::End,
            Some(char) if Slug::may_hold(char) && char != '-' => Found::Word,
            Some(char) => Found::Char(char),
        };
        self.fault_at(self.at, fault(found))
    }

    fn fault_at(&self, at: usize, fault: AlgebraFault) -> AlgebraError {
        AlgebraError { column: column(self.text, at), fault }
    }
}

fn column(text: &str, at: usize) -> usize {
    text[..at].chars().count() + 1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parsed(text: &str) -> String {
        Expression::parse(text).unwrap().to_string()
    }

    fn refused(text: &str) -> (usize, String) {
        let error = Expression::parse(text).unwrap_err();
        (error.column, error.fault.to_string())
    }

    #[test]
    fn operators_bind_as_in_sets_of_python() {
        for (bare, in_full) in [
            ("A|B^C&D - E", "A | (B ^ (C & (D - E)))"),
            ("A - B - C", "((A - B) - C)"),
            ("A - B & C - D", "(A - B) & (C - D)"),
            ("A ^ B ^ C | D", "((A ^ B) ^ C) | D"),
        ] {
            assert_eq!(Expression::parse(bare), Expression::parse(in_full), "{bare}");
        }
    }

    #[test]
    fn an_expression_is_written_with_the_parentheses_it_needs() {
        assert_eq!(parsed("(VIP & IOS) - STAFF"), "(VIP & IOS) - STAFF");
        assert_eq!(parsed("(A - (B - (C)))"), "A - (B - C)");
        assert_eq!(parsed("((A & B) & C) | D"), "A & B & C | D");
        assert_eq!(parsed("A & (B | C)"), "A & (B | C)");
        assert_eq!(parsed("((A))"), "A");
    }

    #[test]
    fn a_minus_that_touches_a_slug_belongs_to_it() {
        assert_eq!(Expression::parse("A-B").unwrap(), Expression::Segment(Slug::parse("A-B").unwrap()));
        assert_eq!(parsed("A -B"), "A - B");
        assert_eq!(parsed("A- - B"), "A- - B");
        assert_eq!(parsed("(A)-B"), "A - B");
    }

    #[test]
    fn all_stands_for_everybody() {
        assert_eq!(parsed(" ALL - \tALLY\n"), "ALL - ALLY");
        assert_eq!(Expression::parse("ALL").unwrap(), Expression::All);
        assert!(Expression::parse("ALL - A").unwrap().holds(&|_| false));
    }

    #[test]
    fn an_error_points_at_its_column() {
        let operand = |found: &str| format!("a segment, ALL or ( is expected here, not {found}");
        let operator = |found: &str| format!("an operator (&, |, -, ^) is expected here, not {found}");
        assert_eq!(refused(""), (1, operand("the end")));
        assert_eq!(refused("A &"), (4, operand("the end")));
        assert_eq!(refused("A & & B"), (5, operand("`&`")));
        assert_eq!(refused("A B"), (3, operator("a segment")));
        assert_eq!(refused("A )"), (3, operator("`)`")));
        assert_eq!(refused("я"), (1, operand("`я`")));
        assert_eq!(refused("A & \u{1F389}"), (5, operand("`🎉`")));
        assert_eq!(refused("A &\0"), (4, operand("`\\0`")));
        assert_eq!(refused("A | (B & C"), (5, "this ( is never closed".to_owned()));
        assert_eq!(refused("- A"), (1, operand("`-`")));
        assert_eq!(refused("A & _B").0, 5);
        assert_eq!(refused("A & stats"), (5, "`stats` is a reserved word and cannot be a segment slug".to_owned()));
        assert_eq!(refused(&format!("A & {}", "x".repeat(256))).0, 5);
    }

    #[test]
    fn depth_length_and_segments_are_bounded() {
        let deep = |depth: usize| format!("{}A{}", "(".repeat(depth), ")".repeat(depth));
        assert_eq!(parsed(&deep(Expression::DEPTH_MAX)), "A");
        assert_eq!(refused(&deep(Expression::DEPTH_MAX + 1)).0, Expression::DEPTH_MAX + 1);
        let many = |count: usize| vec!["A"; count].join("&");
        assert!(Expression::parse(&many(Expression::OPERANDS_MAX)).is_ok());
        assert_eq!(refused(&many(Expression::OPERANDS_MAX + 1)).0, 2 * Expression::OPERANDS_MAX + 1);
        let long = |blanks: usize| format!("{}A", " ".repeat(blanks));
        assert!(Expression::parse(&long(Expression::CHARS_MAX - 1)).is_ok());
        assert_eq!(refused(&long(Expression::CHARS_MAX)).0, Expression::CHARS_MAX + 1);
    }

    #[test]
    fn the_longest_expression_can_be_read_again_as_it_is_written() {
        let longest = "x".repeat(Slug::CHARS_MAX);
        let written = parsed(&vec![longest.as_str(); Expression::OPERANDS_MAX].join("&"));
        assert_eq!(parsed(&written), written);
        let grouped = vec![format!("({longest}^{longest})"); Expression::OPERANDS_MAX / 2].join("&");
        assert_eq!(parsed(&parsed(&grouped)), parsed(&grouped));
    }

    #[test]
    fn each_segment_is_named_once() {
        let expression = Expression::parse("(A & B) | (A - C) | ALL").unwrap();
        let named: Vec<&str> = expression.segments().into_iter().map(Slug::as_str).collect();
        assert_eq!(named, ["A", "B", "C"]);
    }

    fn expressions() -> impl Strategy<Value = Expression> {
        let segment = |name: &str| Expression::Segment(Slug::parse(name).unwrap());
        let leaf = prop_oneof![
            Just(Expression::All),
            Just(segment("A")),
            Just(segment("B-")),
            Just(segment("c_1")),
            Just(segment("ALL-"))
        ];
        leaf.prop_recursive(5, 40, 2, |inner| {
            (prop::sample::select(&Operator::ALL[..]), inner.clone(), inner)
                .prop_map(|(operator, a, b)| Expression::Combined(operator, Box::new(a), Box::new(b)))
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_parsed_to_the_same(expression in expressions()) {
            prop_assert_eq!(Expression::parse(&expression.to_string()).unwrap(), expression);
        }

        #[test]
        fn no_text_panics(text in "[ABx&|^() \\-_é\n]{0,60}") {
            let _ = Expression::parse(&text);
        }
    }
}
