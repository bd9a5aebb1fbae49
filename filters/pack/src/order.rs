//! `outrigger-pack --order IN.wasm OUT.wasm`: puts next to one another what requests go through, and drops the names.
//!
//! A filter's code is run once for each request, with all of Envoy's own in between: little of it is still in the
//! processor's caches then, and next to none of its pages in the table of addresses. Of a suite's 2,000 functions an
//! ordinary request goes through 170. V8 puts code into memory in the module's order, so that they share a few pages
//! instead of being spread over all of them.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use wasm_encoder::reencode::{Error, Reencode, utils};
use wasm_encoder::{CodeSection, FunctionSection, Module};
use wasmparser::{
    CodeSectionReader, CustomSectionReader, FunctionSectionReader, KnownCustom, Name, Parser, Payload,
    TypeRef,
};

/// The functions of ordinary requests in the order of their first call, a line each, as [`plain`] writes their names.
/// `./makew hot` makes it.
const HOT: &str = include_str!("hot.txt");

/// Of a list that was just made, the suite has nine in ten.
const FEW: f64 = 0.7;

/// So many functions can be called by a number of one byte. `wasm-opt` has put those first that are called from most
/// places, and there they stay.
const ONE_BYTE: usize = 128;

/// Puts the functions of `input` in order and writes it, without their names, to `output`.
pub(crate) fn order(input: &Path, output: &Path) -> Result<()> {
    let module = std::fs::read(input).with_context(|| input.display().to_string())?;
    let functions = Functions::read(&module)?;
    // The suite has all of them, but for those that its optimisation has merged with others.
    let is_suite = input.file_stem().is_some_and(|name| name.to_string_lossy().ends_with("outrigger"));
    if is_suite && functions.share_of_hot() < FEW {
        eprintln!(
            "outrigger-pack: filters/pack/src/hot.txt names functions that are not there any more: run ./makew hot"
        );
    }
    let mut reorder = Reorder { new: functions.places(), imports: functions.imports };
    let mut ordered = Module::new();
    reorder
        .parse_core_module(&mut ordered, Parser::new(0), &module)
        .map_err(|error| anyhow::anyhow!("{error}"))?;
    super::replace(output, &ordered.finish())
}

/// Writes the names on standard input as [`HOT`] has them, each once.
pub(crate) fn names() -> ExitCode {
    let mut known = HashSet::new();
    for name in std::io::stdin().lines().map_while(Result::ok) {
        let name = plain(&name);
        if known.insert(name.clone()) {
            println!("{name}");
        }
    }
    ExitCode::SUCCESS
}

/// The functions of a module.
struct Functions {
    /// How many are imported: the first numbers are theirs.
    imports: usize,
    /// The names of all of them, by number.
    names: Vec<String>,
}

impl Functions {
    fn read(module: &[u8]) -> Result<Self> {
        let (mut imports, mut defined, mut names) = (0, 0, HashMap::new());
        for payload in Parser::new(0).parse_all(module) {
            match payload? {
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        imports += usize::from(matches!(import?.ty, TypeRef::Func(_)));
                    }
                }
                Payload::FunctionSection(section) => defined = section.count() as usize,
                Payload::CustomSection(section) => {
                    let KnownCustom::Name(section) = section.as_known() else { continue };
                    for part in section {
                        let Name::Function(part) = part? else { continue };
                        for naming in part {
                            let naming = naming?;
                            names.insert(naming.index as usize, plain(naming.name));
                        }
                    }
                }
                _ => {}
            }
        }
        let names = (0..imports + defined).map(|number| names.remove(&number).unwrap_or_default()).collect();
        Ok(Self { imports, names })
    }

    /// How many of the functions that requests go through are there.
    fn share_of_hot(&self) -> f64 {
        let there: HashSet<&str> = self.names.iter().map(String::as_str).collect();
        let hot = HOT.lines().count().max(1);
        HOT.lines().filter(|name| there.contains(name)).count() as f64 / hot as f64
    }

    /// The new number of each.
    fn places(&self) -> Vec<u32> {
        let hot: HashMap<&str, usize> = HOT.lines().enumerate().map(|(place, name)| (name, place)).collect();
        let mut order: Vec<usize> = (0..self.names.len()).collect();
        let cold = hot.len();
        let place = |number: &usize| self.names.get(*number).and_then(|name| hot.get(name.as_str())).copied();
        if let Some(rest) = order.get_mut(self.imports.max(ONE_BYTE)..) {
            rest.sort_by_key(|number| place(number).unwrap_or(cold));
        }
        let mut places = vec![0; order.len()];
        for (new, old) in (0..).zip(order) {
            if let Some(place) = places.get_mut(old) {
                *place = new;
            }
        }
        places
    }
}

/// A function's name without what differs from build to build, and for which policies it was made.
fn plain(name: &str) -> String {
    let name = format!("{:#}", rustc_demangle::demangle(name));
    let mut plain = String::with_capacity(name.len());
    let mut rest = name.as_str();
    while let Some((before, after)) = rest.split_once('<') {
        plain.push_str(before);
        plain.push('<');
        let digits = after.len() - after.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
        let (number, behind) = after.split_at(digits);
        rest = if behind.starts_with('>') && !number.is_empty() { behind } else { after };
    }
    plain + rest
}

/// Writes a module with its functions at other places.
struct Reorder {
    /// By old number.
    new: Vec<u32>,
    imports: usize,
}

impl Reorder {
    /// `items`, one for each function that is not imported, in the new order.
    fn sorted<T>(&self, items: Vec<T>) -> Vec<T> {
        let places = self.new.iter().skip(self.imports);
        let mut items: Vec<_> = places.zip(items).collect();
        items.sort_by_key(|(place, _)| **place);
        items.into_iter().map(|(_, item)| item).collect()
    }
}

impl Reencode for Reorder {
    type Error = anyhow::Error;

    fn function_index(&mut self, function: u32) -> Result<u32, Error<Self::Error>> {
        let new = self.new.get(function as usize).copied();
        new.ok_or_else(|| Error::UserError(anyhow::anyhow!("there is no function {function}")))
    }

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: FunctionSectionReader<'_>,
    ) -> Result<(), Error<Self::Error>> {
        let types = section.into_iter().collect::<Result<Vec<_>, _>>()?;
        for index in self.sorted(types) {
            functions.function(self.type_index(index)?);
        }
        Ok(())
    }

    fn parse_code_section(
        &mut self,
        code: &mut CodeSection,
        section: CodeSectionReader<'_>,
    ) -> Result<(), Error<Self::Error>> {
        let bodies = section.into_iter().collect::<Result<Vec<_>, _>>()?;
        self.sorted(bodies).into_iter().try_for_each(|body| self.parse_function_body(code, body))
    }

    fn parse_custom_section(
        &mut self,
        module: &mut Module,
        section: CustomSectionReader<'_>,
    ) -> Result<(), Error<Self::Error>> {
        match section.as_known() {
            KnownCustom::Name(_) => Ok(()),
            _ => utils::parse_custom_section(self, module, section),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_same_in_every_build_and_module() {
        for (name, expected) in [
            ("<outrigger_host::stream::Stream<31>>::decide", "<outrigger_host::stream::Stream<>>::decide"),
            ("core::ptr::drop_in_place::<u8>", "core::ptr::drop_in_place::<u8>"),
            ("[u8; 4]", "[u8; 4]"),
            (
                "_RNvMs_NtCsi5iINRLhkG3_14outrigger_host6streamINtB4_6StreamKh1f_E18on_request_headersCsbYbE0R9IqJC_9outrigger",
                "<outrigger_host::stream::Stream<>>::on_request_headers",
            ),
        ] {
            assert_eq!(plain(name), expected);
        }
    }

    #[test]
    fn a_list_that_is_out_of_date_shows() {
        let all: Vec<_> = HOT.lines().map(str::to_owned).collect();
        let some = all.iter().take(all.len() / 2).cloned().collect();
        assert!(Functions { imports: 0, names: all }.share_of_hot() > 0.99);
        assert!(Functions { imports: 0, names: some }.share_of_hot() < FEW);
    }

    #[test]
    fn hot_functions_come_behind_those_of_short_numbers() {
        let mut names: Vec<String> = (0..200).map(|number| format!("cold {number}")).collect();
        let hot: Vec<_> = HOT.lines().take(2).collect();
        names[3] = hot[0].to_owned();
        names[150] = hot[1].to_owned();
        names[180] = hot[0].to_owned();
        let places = Functions { imports: 20, names }.places();
        assert_eq!((places[3], places[180], places[150]), (3, 128, 129));
        assert_eq!((places[128], places[149], places[199]), (130, 151, 199));
    }

    #[test]
    fn calls_exports_and_tables_follow_the_functions() {
        let names = HOT.lines().next().unwrap();
        let functions: String =
            (0..140).map(|n| format!("(func $f{n} (result i32) (i32.const {n}))")).collect();
        let text = format!(
            "(module {functions} (func $hot (@name \"{names}\") (param i32) (result i32) (call $f139))
             (table funcref (elem $f0 $hot)) (export \"last\" (func $f139)) (export \"hot\" (func $hot)))"
        );
        let folder = tempfile::tempdir().unwrap();
        let (input, output) = (folder.path().join("in.wasm"), folder.path().join("out.wasm"));
        std::fs::write(&input, wat::parse_str(text).unwrap()).unwrap();
        order(&input, &output).unwrap();
        let ordered = std::fs::read(&output).unwrap();
        let exports: Vec<_> = Parser::new(0)
            .parse_all(&ordered)
            .filter_map(|payload| match payload.unwrap() {
                Payload::ExportSection(section) => Some(section),
                Payload::CustomSection(section) => panic!("names are left: {}", section.name()),
                _ => None,
            })
            .flat_map(|section| section.into_iter().map(|export| export.unwrap().index))
            .collect();
        assert_eq!(exports, [140, 128]);
        wasmparser::validate(&ordered).unwrap();
    }
}
