//! Judgement of the pages of a file: those that are as they were written, and those that can be made again.

use std::collections::{BTreeMap, BTreeSet};

use super::image::Image;
use super::rows;
use crate::sqlite::sums::page::{PageNumber, is_plausible_header, masked, sum, unmask};
use crate::sqlite::sums::seal::Seal;
use crate::sqlite::sums::{layout, parity, tree};

/// Result for all pages of a file.
pub(super) struct Judgement {
    /// The seal; `None` where none is sound, and no page can be judged.
    pub(super) seal: Option<Seal>,
    /// True if every page was compared with its sum.
    pub(super) is_complete: bool,
    /// Pages of the sums themselves.
    pub(super) own: BTreeSet<PageNumber>,
    sums: BTreeMap<PageNumber, u64>,
    parity: BTreeMap<u32, Vec<u8>>,
}

/// Judges every page; those that are damaged or missing are noted in the image.
pub(super) fn judge(image: &mut Image) -> Judgement {
    let found = (1..=image.n_pages).find_map(|number| Some((number, Seal::on_page(number, &image.raw(number)?)?)));
    let Some((seal_page, seal)) = found else {
        return Judgement { seal: None, is_complete: false, own: BTreeSet::new(), sums: BTreeMap::new(), parity: BTreeMap::new() };
    };
    let (mut own, wrong) = own_pages(image, &seal);
    own.insert(seal_page);
    image.damaged.extend(wrong);
    let (mut sums, mut parity) = (BTreeMap::new(), BTreeMap::new());
    rows::each(image, seal.sums_root, rows::Kind::Table, &mut |id, row| {
        let Some(rusqlite::types::Value::Blob(row)) = row.into_iter().nth(1) else { return };
        match u32::try_from(id) {
            Ok(id) if id >= parity::FIRST_ROW => drop(parity.insert(id, row)),
            Ok(id) => sums.extend((id * layout::PAGES_PER_ROW as u32 + 1..).zip(layout::sums(&row))),
            Err(_) => {}
        }
    });
    let damaged = |number: &PageNumber| !own.contains(number) && is_damaged(image, *number, &sums);
    let damaged: Vec<PageNumber> = (1..=seal.n_pages).filter(damaged).collect();
    image.damaged.extend(damaged);
    let is_complete = (1..=seal.n_pages).all(|number| own.contains(&number) || sums.contains_key(&number));
    Judgement { seal: Some(seal), is_complete, own, sums, parity }
}

fn is_damaged(image: &Image, number: PageNumber, sums: &BTreeMap<PageNumber, u64>) -> bool {
    image.raw(number).is_none_or(|page| {
        sums.get(&number).is_some_and(|written| *written != sum(number, &page)) || (number == 1 && !is_plausible_header(&page))
    })
}

/// Pages of `page_sums`, and those of them that are not as they were written.
fn own_pages(image: &Image, seal: &Seal) -> (BTreeSet<PageNumber>, BTreeSet<PageNumber>) {
    let mut read = |number| Ok::<_, std::convert::Infallible>(image.raw(number));
    let Ok(Some(pages)) = tree::pages(seal.sums_root, &mut read) else {
        // The tree is cut: none of it can be believed.
        return (BTreeSet::from([seal.sums_root]), BTreeSet::from([seal.sums_root]));
    };
    let sums: Vec<u64> = pages.iter().map(|(number, page)| sum(*number, page)).collect();
    let wrong = seal.wrong(&sums);
    let number = |i: &usize| pages.get(*i).map(|(number, _)| *number);
    let is_cut = wrong.iter().any(|i| *i >= pages.len());
    let wrong = if is_cut { pages.iter().map(|(number, _)| *number).collect() } else { wrong.iter().filter_map(number).collect() };
    (pages.iter().map(|(number, _)| *number).collect(), wrong)
}

impl Judgement {
    /// Makes damaged pages again that are alone in their group; returns them.
    pub(super) fn restore(&self, image: &mut Image) -> std::io::Result<Vec<PageNumber>> {
        let Some(seal) = &self.seal else { return Ok(Vec::new()) };
        let damaged: Vec<PageNumber> = image.damaged.difference(&self.own).copied().collect();
        let mut restored = Vec::new();
        for number in damaged {
            let Some(mut page) = self.made_again(image, number, seal.n_pages) else { continue };
            if number == 1 {
                unmask(&mut page);
            }
            image.restore(number, &page)?;
            restored.push(number);
        }
        Ok(restored)
    }

    fn made_again(&self, image: &Image, number: PageNumber, n_pages: PageNumber) -> Option<Vec<u8>> {
        let group = parity::group(number);
        let mut page = parity::of_group(group, |id| self.parity.get(&id).map(Vec::as_slice))?;
        for other in parity::members(group, n_pages).filter(|other| *other != number && !self.own.contains(other)) {
            parity::add(&mut page, &masked(other, &image.sound(other)?));
        }
        (self.sums.get(&number) == Some(&sum(number, &page))).then_some(page)
    }
}
