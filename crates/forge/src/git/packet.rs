//! git's packet lines (<https://git-scm.com/docs/protocol-common>).

/// A packet of git's `pkt-line` framing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Packet<'a> {
    /// `0000`: the end of a section.
    Flush,
    /// A packet with a payload.
    Data(&'a [u8]),
}

/// Bytes that are not valid packet lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BadPacket;

/// Maximal length of a packet with its length field, by the specification.
const MAX_PACKET_BYTES: usize = 65_520;

/// Iterates over the packets in bytes.
#[derive(Debug, Clone)]
pub(super) struct Packets<'a> {
    rest: &'a [u8],
}

impl<'a> Packets<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    fn read(&mut self) -> Result<Packet<'a>, BadPacket> {
        let head = self.rest.get(..4).ok_or(BadPacket)?;
        if !head.iter().all(u8::is_ascii_hexdigit) {
            return Err(BadPacket);
        }

        let length = std::str::from_utf8(head)
            .ok()
            .and_then(|text| usize::from_str_radix(text, 16).ok())
            .ok_or(BadPacket)?;
        if length == 0 {
            self.rest = self.rest.get(4..).unwrap_or_default();
            return Ok(Packet::Flush);
        }
        if !(4..=MAX_PACKET_BYTES).contains(&length) {
            return Err(BadPacket);
        }

        let data = self.rest.get(4..length).ok_or(BadPacket)?;
        self.rest = self.rest.get(length..).unwrap_or_default();

        Ok(Packet::Data(data))
    }
}

impl<'a> Iterator for Packets<'a> {
    type Item = Result<Packet<'a>, BadPacket>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let packet = self.read();
        if packet.is_err() {
            self.rest = &[];
        }
        Some(packet)
    }
}

/// Appends a packet with a payload.
pub(super) fn write(out: &mut Vec<u8>, payload: &[u8]) {
    out.extend_from_slice(format!("{:04x}", payload.len() + 4).as_bytes());
    out.extend_from_slice(payload);
}

/// Appends a flush packet, the end of a section.
pub(super) fn write_flush(out: &mut Vec<u8>) {
    out.extend_from_slice(b"0000");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn reads_what_it_writes(parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..8)) {
            let mut bytes = Vec::new();
            for part in &parts {
                write(&mut bytes, part);
            }

            write_flush(&mut bytes);
            let packets: Result<Vec<_>, _> = Packets::new(&bytes).collect();
            let mut expected: Vec<_> = parts.iter().map(|part| Packet::Data(part)).collect();
            expected.push(Packet::Flush);

            prop_assert_eq!(packets, Ok(expected));
        }

        #[test]
        fn ends_on_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            prop_assert!(Packets::new(&bytes).count() <= bytes.len());
        }
    }

    #[test]
    fn lengths_that_lie_are_errors() {
        for bytes in [
            &b"0003"[..],
            b"0005",
            b"zzzz",
            b"+00a123456",
            b"fff1",
            b"00",
        ] {
            assert_eq!(
                Packets::new(bytes).collect::<Result<Vec<_>, _>>(),
                Err(BadPacket),
                "{bytes:?}"
            );
        }
    }
}
