package boundary

// Settings are those of a walk.
const Settings = settings
