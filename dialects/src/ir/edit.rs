//! Changing the tables. Everything here keeps use lists and block lists consistent; whether the result means anything is the
//! verifier's business.

use super::attributes::Attribute;
use super::entities::{BlockId, Location, OpId, RegionId, Type, ValueId};
use super::tables::{Block, Definition, Ir, OpKind, Operation, Region, Value};
use dpuc_grammar::is_suffix_identifier;
use smallvec::SmallVec;

impl Ir {
    /// An operation without operands, results, regions or place.
    pub fn create_op(&mut self, kind: OpKind, location: Location) -> OpId {
        self.operations.push(Operation {
            kind,
            operands: SmallVec::new(),
            results: SmallVec::new(),
            attributes: SmallVec::new(),
            regions: SmallVec::new(),
            successors: SmallVec::new(),
            location,
            block: None.into(),
            previous: None.into(),
            next: None.into(),
            erased: false,
        })
    }

    /// Sets where the operation came from.
    pub fn set_location(&mut self, op: OpId, location: Location) {
        self.operations[op].location = location;
    }

    /// Adds a region to the operation.
    pub fn add_region(&mut self, op: OpId) -> RegionId {
        let region = self.regions.push(Region { blocks: SmallVec::new(), owner: op });
        self.operations[op].regions.push(region);
        region
    }

    /// Adds a block to the region.
    pub fn add_block(&mut self, region: RegionId) -> BlockId {
        let block = self.blocks.push(Block { region: Some(region).into(), ..Block::default() });
        self.regions[region].blocks.push(block);
        block
    }

    /// Sets a block's label.
    pub fn set_block_label(&mut self, block: BlockId, label: &str) {
        self.blocks[block].label = Some(self.name(label));
    }

    /// Adds an argument to the block.
    pub fn add_argument(&mut self, block: BlockId, ty: Type) -> ValueId {
        let number = self.blocks[block].arguments.len() as u32;
        let value = self.new_value(ty, Definition::Argument(block, number));
        self.blocks[block].arguments.push(value);
        value
    }

    /// Adds a result to the operation.
    pub fn add_result(&mut self, op: OpId, ty: Type) -> ValueId {
        let number = self.operations[op].results.len() as u32;
        let value = self.new_value(ty, Definition::Result(op, number));
        self.operations[op].results.push(value);
        value
    }

    /// A value that is used before its definition was read.
    pub(crate) fn add_forward_value(&mut self, ty: Type) -> ValueId {
        self.new_value(ty, Definition::Forward)
    }

    /// Makes a forward value the next result of the operation.
    pub(crate) fn adopt_result(&mut self, op: OpId, value: ValueId) {
        let number = self.operations[op].results.len() as u32;
        self.values[value].definition = Definition::Result(op, number);
        self.operations[op].results.push(value);
    }

    fn new_value(&mut self, ty: Type, definition: Definition) -> ValueId {
        self.values.push(Value { ty, name: None, definition, users: SmallVec::new() })
    }

    /// Names a value. Characters that text does not allow in names become `_`; a number alone is no name.
    pub fn set_value_name(&mut self, value: ValueId, name: &str) {
        let name = if is_suffix_identifier(name) && !name.starts_with(|c: char| c.is_ascii_digit()) {
            self.name(name)
        } else {
            let allowed = |c: char| if c.is_ascii_alphanumeric() || "$._-".contains(c) { c } else { '_' };
            let cleaned: String = name.chars().map(allowed).collect();
            self.name(&format!("_{}_", cleaned.trim_matches('_')))
        };
        self.values[value].name = Some(name);
    }

    /// Changes a value's type.
    pub fn set_value_type(&mut self, value: ValueId, ty: Type) {
        self.values[value].ty = ty;
    }

    /// Adds an operand.
    pub fn add_operand(&mut self, op: OpId, value: ValueId) {
        self.operations[op].operands.push(value);
        self.values[value].users.push(op);
    }

    /// Replaces operand `index`.
    pub fn set_operand(&mut self, op: OpId, index: usize, value: ValueId) {
        let old = std::mem::replace(&mut self.operations[op].operands[index], value);
        self.remove_use(old, op);
        self.values[value].users.push(op);
    }

    fn remove_use(&mut self, value: ValueId, op: OpId) {
        let users = &mut self.values[value].users;
        if let Some(at) = users.iter().rposition(|&user| user == op) {
            users.swap_remove(at);
        }
    }

    /// Makes every user of `old` use `new`.
    pub fn replace_all_uses(&mut self, old: ValueId, new: ValueId) {
        if old == new {
            return;
        }
        let users = std::mem::take(&mut self.values[old].users);
        for &user in &users {
            for operand in &mut self.operations[user].operands {
                if *operand == old {
                    *operand = new;
                }
            }
        }
        self.values[new].users.extend(users);
    }

    /// Adds a block the operation may branch to.
    pub fn add_successor(&mut self, op: OpId, block: BlockId) {
        self.operations[op].successors.push(block);
    }

    /// Sets an attribute; an existing one keeps its place.
    pub fn set_attribute(&mut self, op: OpId, name: &str, value: Attribute) {
        let name = self.name(name);
        let attributes = &mut self.operations[op].attributes;
        match attributes.iter_mut().find(|(own, _)| *own == name) {
            Some((_, own)) => *own = value,
            None => attributes.push((name, value)),
        }
    }

    /// Removes an attribute.
    pub fn remove_attribute(&mut self, op: OpId, name: &str) -> Option<Attribute> {
        let at = self.attributes(op).iter().position(|(own, _)| self.text(*own) == name)?;
        Some(self.operations[op].attributes.remove(at).1)
    }

    /// Places an unplaced operation at the end of the block.
    pub fn append(&mut self, block: BlockId, op: OpId) {
        let last = self.blocks[block].last;
        self.link(block, last.expand(), op, None);
    }

    /// Places an unplaced operation before `next`.
    ///
    /// # Panics
    /// If `next` is in no block.
    pub fn insert_before(&mut self, next: OpId, op: OpId) {
        let block = self.operations[next].block.expect("the operation to insert before is in a block");
        let previous = self.operations[next].previous.expand();
        self.link(block, previous, op, Some(next));
    }

    fn link(&mut self, block: BlockId, previous: Option<OpId>, op: OpId, next: Option<OpId>) {
        debug_assert!(self.operations[op].block.is_none(), "an operation is placed once");
        let record = &mut self.operations[op];
        record.block = Some(block).into();
        record.previous = previous.into();
        record.next = next.into();
        match previous {
            Some(previous) => self.operations[previous].next = Some(op).into(),
            None => self.blocks[block].first = Some(op).into(),
        }
        match next {
            Some(next) => self.operations[next].previous = Some(op).into(),
            None => self.blocks[block].last = Some(op).into(),
        }
    }

    /// Takes the operation out of its block; it keeps operands, results and regions.
    pub fn detach(&mut self, op: OpId) {
        let record = &mut self.operations[op];
        let (block, previous, next) = (record.block.take(), record.previous.take(), record.next.take());
        let Some(block) = block else { return };
        match previous {
            Some(previous) => self.operations[previous].next = next.into(),
            None => self.blocks[block].first = next.into(),
        }
        match next {
            Some(next) => self.operations[next].previous = previous.into(),
            None => self.blocks[block].last = previous.into(),
        }
    }

    /// Removes the operation and everything in its regions. Its results must have no users outside of it.
    pub fn erase(&mut self, op: OpId) {
        let inner = self.walk(op);
        self.detach(op);
        for &inner in &inner {
            for value in std::mem::take(&mut self.operations[inner].operands) {
                self.remove_use(value, inner);
            }
            self.operations[inner].erased = true;
        }
        debug_assert!(
            self.results(op).iter().all(|&result| self.use_count(result) == 0),
            "{} is erased while its result is used",
            self.op_name(op)
        );
    }
}
