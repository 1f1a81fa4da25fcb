/** Names of requests on the control socket. */
/** An object of ours is about to appear at a place: nobody is to take it for another's. */
export const placedOp = 'respond.placed';
/** A result of a response that is about no alert: the destinations are told by a document of its own. */
export const saidOp = 'respond.said';
