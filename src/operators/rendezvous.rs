//! Assigns each client to one operator by rendezvous hashing: every operator gets a hash for the
//! client, and the highest wins.
//!
//! So the same client gets the same operator on every replica and after every restart, without any
//! stored state. When an operator leaves, only that operator's clients are assigned to another.

use std::hash::Hasher as _;

use siphasher::sip::SipHasher13;

use chathub::OperatorId;

/// The one of `operators` that `client` is assigned to; `None` where there are none. A client is a
/// phone in E.164, or a chat's id.
pub fn assigned(client: &str, operators: &[OperatorId]) -> Option<OperatorId> {
    operators
        .iter()
        .copied()
        .max_by_key(|operator| (weight(client, *operator), *operator))
}

/// SipHash-1-3 with the key 0, over the client's bytes and the operator's id as eight bytes. It
/// must never change, or an upgrade would reassign all clients.
fn weight(client: &str, operator: OperatorId) -> u64 {
    let mut hasher = SipHasher13::new();
    hasher.write(client.as_bytes());
    hasher.write(&operator.0.to_le_bytes());
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn operators(ids: std::ops::Range<u64>) -> Vec<OperatorId> {
        ids.map(OperatorId).collect()
    }

    fn clients() -> impl Iterator<Item = String> {
        (0..10_000).map(|number| format!("+38050123{number:04}"))
    }

    #[test]
    fn the_same_client_gets_the_same_operator_for_ever() {
        let of = |client| assigned(client, &operators(101..111)).map(|operator| operator.0);
        // Computed by another implementation of SipHash-1-3; a change here would move every client.
        assert_eq!(of("+380501234567"), Some(107));
        assert_eq!(of("+380671234567"), Some(107));
        assert_eq!(assigned("+380501234567", &[]), None);
    }

    #[test]
    fn the_order_of_the_operators_does_not_matter() {
        let mut turned = operators(101..111);
        turned.reverse();
        for client in clients() {
            assert_eq!(
                assigned(&client, &operators(101..111)),
                assigned(&client, &turned)
            );
        }
    }

    #[test]
    fn clients_are_spread_evenly() {
        let mut met = HashMap::<_, u32>::new();
        for client in clients() {
            *met.entry(assigned(&client, &operators(101..111)))
                .or_default() += 1;
        }
        assert_eq!(met.len(), 10);
        assert!(
            met.values().all(|count| (850..1150).contains(count)),
            "{met:?}"
        );
    }

    #[test]
    fn when_an_operator_leaves_only_their_clients_move() {
        let all = operators(101..111);
        let left: Vec<_> = all.iter().copied().filter(|id| id.0 != 105).collect();
        for client in clients() {
            let before = assigned(&client, &all);
            if before != Some(OperatorId(105)) {
                assert_eq!(assigned(&client, &left), before);
            }
        }
    }
}
