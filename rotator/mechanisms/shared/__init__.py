"""What two technologies have in common: decoders, XML with positions, property lists."""
