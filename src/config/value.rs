//! A value of the parsed files, as serde reads it.
//!
//! toml brings a deserializer of its own. It takes every value apart by all that TOML can hold,
//! again for each type that is read, and that was a sixth of a module which is loaded into every
//! login. This one asks what the type wants and has one place for everything that is something
//! else. It borrows the tree, and an error comes with the place of the innermost value.

use std::fmt;
use std::ops::Range;
use std::slice;

use serde::de::{
    self, DeserializeSeed, Deserializer, Expected, IntoDeserializer, MapAccess, SeqAccess,
    Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_spanned::de::{SpannedDeserializer, is_spanned};
use toml::Spanned;
use toml::de::{DeInteger, DeString, DeTable, DeValue};

/// What a float is called, whose digits are not worth the code that shows them.
const FLOAT: &str = "floating point number";

/// A value with its place.
#[derive(Clone, Copy)]
pub struct Value<'t>(pub &'t Spanned<DeValue<'t>>);

impl Value<'_> {
    fn is_not(self, wanted: &dyn Expected) -> Fault {
        let found = match self.0.get_ref() {
            DeValue::String(text) => Unexpected::Str(text),
            DeValue::Integer(number) => match whole(number) {
                Ok(number) => Unexpected::Signed(number),
                Err(fault) => return fault,
            },
            DeValue::Float(_) => Unexpected::Other(FLOAT),
            DeValue::Boolean(flag) => Unexpected::Bool(*flag),
            DeValue::Datetime(_) => Unexpected::Other("date or time"),
            DeValue::Array(_) => Unexpected::Seq,
            DeValue::Table(_) => Unexpected::Map,
        };
        de::Error::invalid_type(found, wanted)
    }
}

impl<'de> Deserializer<'de> for Value<'de> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0.get_ref() {
            DeValue::Array(array) => visitor.visit_seq(Elements(array.iter())),
            DeValue::Table(table) => visitor.visit_map(Entries::of(table)),
            // Only descriptions of providers have any use for one, and reading it takes tables.
            #[cfg(feature = "helper")]
            DeValue::Float(number) => match number.as_str().parse() {
                Ok(number) => visitor.visit_f64(number),
                Err(_) => Err(self.is_not(&visitor)),
            },
            _ => self.deserialize_str(visitor),
        }
    }

    /// A plain value: visitors of texts have words of their own for a number without quotes.
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0.get_ref() {
            DeValue::String(text) => visitor.visit_str(text),
            DeValue::Integer(number) => visitor.visit_i64(whole(number)?),
            DeValue::Boolean(flag) => visitor.visit_bool(*flag),
            DeValue::Datetime(date) => visitor.visit_string(date.to_string()),
            _ => Err(self.is_not(&visitor)),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0.get_ref() {
            DeValue::Integer(number) => visitor.visit_i64(whole(number)?),
            _ => Err(self.is_not(&visitor)),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0.get_ref() {
            DeValue::Boolean(flag) => visitor.visit_bool(*flag),
            _ => Err(self.is_not(&visitor)),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0.get_ref() {
            DeValue::Array(array) => visitor.visit_seq(Elements(array.iter())),
            _ => Err(self.is_not(&visitor)),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0.get_ref() {
            DeValue::Table(table) => visitor.visit_map(Entries::of(table)),
            _ => Err(self.is_not(&visitor)),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        if is_spanned(name) {
            return visitor.visit_map(SpannedDeserializer::new(self, self.0.span()));
        }
        self.deserialize_map(visitor)
    }

    /// A word out of several: no other form of enum is needed.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.0.get_ref() {
            DeValue::String(word) => visitor.visit_enum(word.as_ref().into_deserializer()),
            _ => Err(self.is_not(&visitor)),
        }
    }

    /// There is no null in TOML: what stands there is something.
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf
        unit unit_struct tuple tuple_struct identifier
    }
}

impl<'de> IntoDeserializer<'de, Fault> for Value<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

fn whole(number: &DeInteger<'_>) -> Result<i64, Fault> {
    i64::from_str_radix(number.as_str(), number.radix())
        .map_err(|_| de::Error::custom("this number is too large"))
}

/// The elements of an array.
struct Elements<'t>(slice::Iter<'t, Spanned<DeValue<'t>>>);

impl<'de> SeqAccess<'de> for Elements<'de> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Fault> {
        let Some(element) = self.0.next() else { return Ok(None) };
        let read = seed.deserialize(Value(element));
        read.map(Some).map_err(|fault| fault.within(element.span()))
    }
}

/// The entries of a table.
struct Entries<'t> {
    rest: toml::map::Iter<'t, Spanned<DeString<'t>>, Spanned<DeValue<'t>>>,
    value: Option<&'t Spanned<DeValue<'t>>>,
}

impl<'t> Entries<'t> {
    fn of(table: &'t DeTable<'t>) -> Self {
        Self { rest: table.iter(), value: None }
    }
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Fault> {
        let Some((key, value)) = self.rest.next() else { return Ok(None) };
        self.value = Some(value);
        seed.deserialize(Key(key)).map(Some).map_err(|fault| fault.within(key.span()))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        let value = self.value.take().expect("serde asks for the key first");
        seed.deserialize(Value(value)).map_err(|fault| fault.within(value.span()))
    }
}

/// The key of an entry.
#[derive(Clone, Copy)]
struct Key<'t>(&'t Spanned<DeString<'t>>);

impl<'de> Deserializer<'de> for Key<'de> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_str(self.0.get_ref())
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_map(SpannedDeserializer::new(self, self.0.span()))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        option unit unit_struct newtype_struct seq tuple tuple_struct map enum identifier
        ignored_any
    }
}

impl<'de> IntoDeserializer<'de, Fault> for Key<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// What is wrong with a value, and where. In a box, because results of every type carry it.
#[derive(Debug)]
pub struct Fault(Box<Finding>);

#[derive(Debug)]
struct Finding {
    message: String,
    span: Option<Range<usize>>,
}

impl Fault {
    /// What is wrong, in serde's words.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The innermost value or key that is known to hold it.
    pub fn span(&self) -> Option<Range<usize>> {
        self.0.span.clone()
    }

    #[cold]
    fn within(mut self, span: Range<usize>) -> Self {
        self.0.span.get_or_insert(span);
        self
    }
}

impl de::Error for Fault {
    #[cold]
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(Box::new(Finding { message: message.to_string(), span: None }))
    }

    /// As serde says it, but without the value: it may be a key or a number, and this goes to the log.
    fn invalid_type(found: Unexpected<'_>, wanted: &dyn Expected) -> Self {
        let found = match found {
            Unexpected::Str(_) => "string",
            Unexpected::Signed(_) => "integer",
            Unexpected::Bool(_) => "boolean",
            Unexpected::Seq => "sequence",
            Unexpected::Map => "map",
            Unexpected::Float(_) => FLOAT,
            Unexpected::Other(what) => what,
            _ => "something else",
        };
        Self::custom(format_args!("invalid type: {found}, expected {wanted}"))
    }

    /// As serde says it, but a number that stands in the place of a name is not told.
    #[cold]
    fn unknown_field(field: &str, known: &'static [&'static str]) -> Self {
        let is_number = field.bytes().filter(u8::is_ascii_digit).count() > 5;
        let field = if is_number { "..." } else { field };
        Self::custom(de::value::Error::unknown_field(field, known))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl std::error::Error for Fault {}
