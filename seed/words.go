package seed

// These are the parts of the names of heroes, teams and products. The library for fake data
// provides names of people and cities, but none of heroes.

var qualities = []string{
	"Amber", "Arctic", "Ashen", "Astral", "Blazing", "Brazen", "Bright", "Cobalt", "Copper", "Crimson", "Crystal", "Daring",
	"Dawn", "Distant", "Drifting", "Electric", "Emerald", "Fearless", "Feral", "Frozen", "Gallant", "Gilded", "Golden",
	"Granite", "Hidden", "Hollow", "Indigo", "Iron", "Ivory", "Jade", "Lone", "Lunar", "Marble", "Midnight", "Misty",
	"Nimble", "Northern", "Obsidian", "Onyx", "Phantom", "Quiet", "Radiant", "Rogue", "Sapphire", "Scarlet", "Shining",
	"Silent", "Silver", "Solar", "Steel", "Stormy", "Swift", "Thunder", "Twilight", "Umber", "Velvet", "Violet", "Wandering",
	"Wild", "Winter",
}

var figures = []string{
	"Albatross", "Archer", "Beacon", "Bison", "Blade", "Bolt", "Cheetah", "Comet", "Condor", "Corsair", "Courier", "Cyclone",
	"Dragonfly", "Drifter", "Eagle", "Ember", "Falcon", "Fox", "Gale", "Gargoyle", "Ghost", "Glacier", "Griffin", "Guardian",
	"Hammer", "Harrier", "Hawk", "Hornet", "Jaguar", "Kestrel", "Lantern", "Leopard", "Lynx", "Mantis", "Marshal", "Meteor",
	"Mirage", "Nomad", "Nova", "Oracle", "Orca", "Osprey", "Otter", "Owl", "Panther", "Paragon", "Pilot", "Puma", "Quasar",
	"Ranger", "Raven", "Scout", "Sentinel", "Shade", "Shield", "Sparrow", "Spectre", "Sphinx", "Stag", "Starling", "Tempest",
	"Tide", "Tiger", "Tracer", "Vanguard", "Viper", "Warden", "Whisper", "Wolf", "Wolverine", "Wren", "Zephyr",
}

var titles = []string{
	"Agent", "Captain", "Commander", "Doctor", "Lady", "Lord", "Madame", "Major", "Miss", "Mister", "Professor", "Sergeant",
}

var bands = []string{
	"Alliance", "Brigade", "Circle", "Companions", "Council", "Covenant", "Defenders", "Force", "Fraternity", "Guard",
	"Guardians", "Legion", "League", "Outriders", "Patrol", "Pioneers", "Rangers", "Regulars", "Sentries", "Society",
	"Squadron", "Syndicate", "Union", "Vigil", "Watch",
}

var lairs = []string{
	"Airfield", "Aqueduct", "Bunker", "Cathedral", "Citadel", "Clock Tower", "Docks", "Foundry", "Harbour", "Library",
	"Lighthouse", "Observatory", "Old Brewery", "Planetarium", "Power Station", "Subway Depot", "Tower", "Town Hall",
}

var materials = []string{
	"All-Weather", "Carbon-Fibre", "Classic", "Compact", "Deep-Sea", "Featherweight", "Fireproof", "Folding", "Heavy-Duty",
	"High-Altitude", "Insulated", "Kevlar", "Magnetic", "Midnight-Blue", "Noiseless", "Pocket-Size", "Reflective",
	"Reinforced", "Reversible", "Self-Mending", "Shock-Proof", "Titanium", "Training", "Waterproof",
}

// productKinds are kinds of products. Their lowest and highest prices are in whole units of money.
var productKinds = []struct {
	prefix, name      string
	cheapest, dearest int
}{
	{"BEL", "Utility Belt", 25, 90},
	{"BIN", "Binoculars", 60, 320},
	{"BOO", "Boots", 70, 240},
	{"CAP", "Cape", 30, 180},
	{"COM", "Communicator", 90, 480},
	{"COW", "Cowl", 25, 110},
	{"DRO", "Scout Drone", 190, 900},
	{"GAU", "Gauntlets", 40, 210},
	{"GLI", "Glider", 350, 1400},
	{"GOG", "Night-Vision Goggles", 120, 650},
	{"GRA", "Grappling Hook", 45, 260},
	{"HEL", "Helmet", 80, 390},
	{"KIT", "First-Aid Kit", 15, 60},
	{"LAN", "Signal Lantern", 20, 95},
	{"LOC", "Lock-Pick Set", 18, 75},
	{"MAS", "Mask", 12, 70},
	{"PAC", "Backpack", 40, 160},
	{"ROP", "Climbing Rope", 25, 130},
	{"SHI", "Shield", 110, 520},
	{"SMO", "Smoke Pellets", 8, 35},
	{"STA", "Staff", 35, 190},
	{"SUI", "Suit", 150, 980},
}
