//! The names by which pages, feeds and messages call operators and autonomous systems, as last known.

use allium_model::{Asn, OperatorId, Relay};
use allium_words::incidents::Names;

use crate::view::View;

impl View {
    /// The name of an operator: the proven domain, else its contact, else the nickname of a member of its family.
    pub fn operator_name(&self, operator_idx: usize) -> String {
        let relay = |relay_idx: u32| -> Option<&Relay> { self.record.relays.get(relay_idx as usize).map(|record| &record.relay) };
        let Some(operator) = self.operators.list().get(operator_idx) else { return String::new() };
        if let OperatorId::Domain(domain) = &operator.id {
            return domain.to_string();
        }
        let contact = self.operators.figures[operator_idx].contact_of.and_then(|i| relay(i)?.contact.as_deref());
        let first = operator.members.first().and_then(|i| relay(*i));
        match (contact.or_else(|| first?.contact.as_deref()), first) {
            (Some(contact), _) => contact.split_whitespace().collect::<Vec<_>>().join(" "),
            (None, Some(relay)) => format!("family of {}", relay.display_name()),
            (None, None) => operator.id.to_string(),
        }
    }
}

impl Names for View {
    fn autonomous_system(&self, asn: Asn) -> Option<&str> {
        self.autonomous_systems.get(&asn)?.name.as_deref()
    }

    fn operator(&self, id: &OperatorId) -> Option<String> {
        let (operator_idx, _) = self.operators.find(id)?;
        Some(self.operator_name(operator_idx))
    }
}
