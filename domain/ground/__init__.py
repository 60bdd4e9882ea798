"""The ground floor: what every wing stands on."""
