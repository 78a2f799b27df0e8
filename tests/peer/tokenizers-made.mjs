export function made() { return []; }
