// Pages of the console that are about no entity. Each has:
//
//   path       the first part of its address
//   label      what the navigation calls it
//   allowed    whether the viewer may see it, from the model of the schema
//   Component  the view; it gets the parts of the address after the first one, and the parameters
export const pages = [];
