//! Pages of a table of which each row lies in one page: the walk through its b-tree, as SQLite's file format has it.

use std::collections::BTreeSet;

use super::page::{PageNumber, be_u32};

/// Type of a page that points to others of a table.
const INTERIOR: u8 = 5;

/// Pages with their numbers and bytes.
pub(in crate::sqlite) type Pages = Vec<(PageNumber, Vec<u8>)>;

/// Pages of the tree below `root`, parents before children, children in the order of their rows. `read` gives the bytes of
/// a page; `None` if one is missing or the tree is none.
pub(in crate::sqlite) fn pages<E>(
    root: PageNumber,
    read: &mut impl FnMut(PageNumber) -> Result<Option<Vec<u8>>, E>,
) -> Result<Option<Pages>, E> {
    let (mut found, mut waiting, mut seen) = (Vec::new(), vec![root], BTreeSet::new());
    while let Some(number) = waiting.pop() {
        let Some(page) = read(number)? else { return Ok(None) };
        let Some(children) = children(&page) else { return Ok(None) };
        if !seen.insert(number) {
            return Ok(None);
        }
        waiting.extend(children.into_iter().rev());
        found.push((number, page));
    }
    Ok(Some(found))
}

/// Children of a page; none of a leaf.
fn children(page: &[u8]) -> Option<Vec<PageNumber>> {
    if *page.first()? != INTERIOR {
        return Some(Vec::new());
    }
    let n_cells = usize::from(u16::from_be_bytes([*page.get(3)?, *page.get(4)?]));
    let pointers = page.get(12..12 + 2 * n_cells)?;
    let cells = pointers.chunks_exact(2).map(|at| usize::from(u16::from_be_bytes([at[0], at[1]])));
    let mut children: Vec<PageNumber> = cells.map(|at| page.get(at..at + 4).map(be_u32)).collect::<Option<_>>()?;
    children.push(be_u32(&page[8..12]));
    Some(children)
}
