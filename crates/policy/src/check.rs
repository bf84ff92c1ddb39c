//! The types of a condition, checked before it is evaluated.

use cel::common::ast::{CallExpr, ComprehensionExpr, Expr, IdedExpr, LiteralValue, operators};

use crate::fields::{FieldType, find, nearest};

/// The type of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    Bool,
    Int,
    Double,
    Text,
    Texts,
}

impl Type {
    fn of(kind: FieldType) -> Self {
        match kind {
            FieldType::Bool => Self::Bool,
            FieldType::Int => Self::Int,
            FieldType::Double => Self::Double,
            FieldType::Text => Self::Text,
            FieldType::Texts => Self::Texts,
        }
    }

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Bool => FieldType::Bool.word(),
            Self::Int => FieldType::Int.word(),
            Self::Double => FieldType::Double.word(),
            Self::Text => FieldType::Text.word(),
            Self::Texts => FieldType::Texts.word(),
        }
    }
}

/// An error, and the next step.
pub(crate) type Mistake = (String, Option<String>);

fn mistake<T>(text: impl Into<String>) -> Result<T, Mistake> {
    Err((text.into(), None))
}

/// Deepest expression. The parser bounds the source, so this only bounds the recursion here.
const MAX_DEPTH: usize = 100;

/// The checker of one condition.
#[derive(Default)]
pub(crate) struct Checker {
    /// Variables of the macro that is open.
    variables: Vec<(String, Type)>,
    /// Whether a field was used.
    pub(crate) uses_field: bool,
    depth: usize,
}

impl Checker {
    /// The type of an expression.
    pub(crate) fn check(&mut self, expression: &IdedExpr) -> Result<Type, Mistake> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return mistake("it is nested too deeply");
        }
        let found = self.expression(&expression.expr);
        self.depth -= 1;
        found
    }

    fn expression(&mut self, expression: &Expr) -> Result<Type, Mistake> {
        match expression {
            Expr::Literal(literal) => match literal {
                LiteralValue::Boolean(_) => Ok(Type::Bool),
                LiteralValue::Int(_) => Ok(Type::Int),
                LiteralValue::Double(_) => Ok(Type::Double),
                LiteralValue::String(_) => Ok(Type::Text),
                LiteralValue::UInt(_) | LiteralValue::Bytes(_) | LiteralValue::Null => {
                    mistake("no field has a value of this type: bytes, null or an unsigned number")
                }
            },
            Expr::Ident(name) => self.variable(name),
            Expr::Select(select) if !select.test => self.field(expression),
            Expr::List(list) => {
                for element in &list.elements {
                    self.expect(element, Type::Text, "an entry of a list")?;
                }
                Ok(Type::Texts)
            }
            Expr::Call(call) => self.call(call),
            Expr::Comprehension(comprehension) => self.comprehension(comprehension),
            Expr::Select(_) => mistake("`has` is not needed: every field has a value"),
            Expr::Map(_) | Expr::Struct(_) | Expr::Unspecified => {
                mistake("maps and structures are not allowed")
            }
        }
    }

    fn variable(&self, name: &str) -> Result<Type, Mistake> {
        let mut known = self.variables.iter().rev();
        match known.find(|(variable, _)| variable == name) {
            Some((_, kind)) => Ok(*kind),
            None => Err(unknown(name)),
        }
    }

    fn field(&mut self, expression: &Expr) -> Result<Type, Mistake> {
        let name = dotted(expression)
            .ok_or_else(|| ("only a field has a name after a point".to_owned(), None))?;
        let field = find(&name).ok_or_else(|| unknown(&name))?;
        self.uses_field = true;
        Ok(Type::of(field.kind))
    }

    fn expect(&mut self, found: &IdedExpr, wanted: Type, what: &str) -> Result<(), Mistake> {
        let kind = self.check(found)?;
        if kind == wanted {
            return Ok(());
        }
        let hint = (kind == Type::Int && wanted == Type::Double)
            .then(|| "write the number with a point, as in `70.0`".to_owned());
        Err((
            format!("{what} must be {}, not {}", wanted.word(), kind.word()),
            hint,
        ))
    }

    fn call(&mut self, call: &CallExpr) -> Result<Type, Mistake> {
        let name = call.func_name.as_str();
        match (name, call.target.as_deref(), call.args.as_slice()) {
            (operators::LOGICAL_AND | operators::LOGICAL_OR, None, arguments) => {
                for argument in arguments {
                    self.expect(argument, Type::Bool, "a side of `&&` and `||`")?;
                }
                Ok(Type::Bool)
            }
            (operators::LOGICAL_NOT | operators::NOT_STRICTLY_FALSE, None, [argument]) => {
                self.expect(argument, Type::Bool, "what `!` negates")?;
                Ok(Type::Bool)
            }
            (operators::CONDITIONAL, None, [condition, yes, no]) => {
                self.expect(condition, Type::Bool, "the condition before `?`")?;
                let kind = self.check(yes)?;
                self.expect(no, kind, "the value after `:`")?;
                Ok(kind)
            }
            (operators::EQUALS | operators::NOT_EQUALS, None, [left, right]) => {
                let kind = self.check(left)?;
                self.same(left, kind, right)?;
                Ok(Type::Bool)
            }
            (
                operators::LESS
                | operators::LESS_EQUALS
                | operators::GREATER
                | operators::GREATER_EQUALS,
                None,
                [left, right],
            ) => {
                let kind = self.number(left)?;
                self.same(left, kind, right)?;
                Ok(Type::Bool)
            }
            (operators::ADD | operators::SUBSTRACT | operators::MULTIPLY, None, [left, right]) => {
                let kind = self.number(left)?;
                self.same(left, kind, right)?;
                Ok(kind)
            }
            (operators::NEGATE, None, [argument]) => self.number(argument),
            (operators::IN, None, [left, right]) => {
                self.expect(left, Type::Text, "the left side of `in`")?;
                self.expect(right, Type::Texts, "the right side of `in`")?;
                Ok(Type::Bool)
            }
            ("size", Some(argument), []) | ("size", None, [argument]) => {
                match self.check(argument)? {
                    Type::Text | Type::Texts => Ok(Type::Int),
                    other => mistake(format!(
                        "`size` needs a text or a list, not {}",
                        other.word()
                    )),
                }
            }
            ("startsWith" | "endsWith" | "contains" | "matches", Some(text), [argument]) => {
                self.expect(text, Type::Text, &format!("the text of `{name}`"))?;
                if !matches!(argument.expr, Expr::Literal(LiteralValue::String(_))) {
                    return mistake(format!("`{name}` needs a literal text"));
                }
                Ok(Type::Bool)
            }
            _ => mistake(format!("`{name}` is not allowed in a condition")),
        }
    }

    fn number(&mut self, argument: &IdedExpr) -> Result<Type, Mistake> {
        match self.check(argument)? {
            kind @ (Type::Int | Type::Double) => Ok(kind),
            other => mistake(format!(
                "only numbers are calculated with and ordered, not {}",
                other.word()
            )),
        }
    }

    /// Both sides have one type. CEL compares a whole number with another kind of number as unequal.
    fn same(&mut self, left: &IdedExpr, kind: Type, right: &IdedExpr) -> Result<(), Mistake> {
        let is_literal = matches!(left.expr, Expr::Literal(_));
        if is_literal && kind == Type::Int && self.check(right)? == Type::Double {
            return Err((
                "a whole number is compared with a number with a point".to_owned(),
                Some("write the number with a point, as in `70.0`".to_owned()),
            ));
        }
        self.expect(right, kind, "the right side")
    }

    /// The macros `exists` and `all`, as the parser writes them.
    fn comprehension(&mut self, macro_: &ComprehensionExpr) -> Result<Type, Mistake> {
        if !self.variables.is_empty() {
            return mistake("macros cannot be nested");
        }
        let is_bool = matches!(
            macro_.accu_init.expr,
            Expr::Literal(LiteralValue::Boolean(_))
        );
        if !is_bool || macro_.iter_var2.is_some() {
            return mistake("of the macros, only `exists` and `all` are allowed");
        }

        self.expect(&macro_.iter_range, Type::Texts, "the list of a macro")?;
        self.variables.push((macro_.accu_var.clone(), Type::Bool));
        self.variables.push((macro_.iter_var.clone(), Type::Text));
        let checked = self
            .expect(&macro_.loop_cond, Type::Bool, "the condition of a macro")
            .and_then(|()| self.expect(&macro_.loop_step, Type::Bool, "the condition of a macro"))
            .and_then(|()| self.expect(&macro_.result, Type::Bool, "the result of a macro"));
        self.variables.clear();
        checked.map(|()| Type::Bool)
    }
}

fn unknown(name: &str) -> Mistake {
    let hint = nearest(name).map(|name| format!("did you mean `{name}`?"));
    (format!("unknown field `{name}`"), hint)
}

/// The name of nested selections: `a.b`.
fn dotted(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Ident(name) => Some(name.clone()),
        Expr::Select(select) if !select.test => {
            let group = dotted(&select.operand.expr)?;
            (group.len() < 100).then(|| format!("{group}.{}", select.field))
        }
        _ => None,
    }
}
