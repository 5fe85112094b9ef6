/** The characters that messages are made of. */
export const QUOTE: u8 = 0x22;
export const COMMA: u8 = 0x2c;
export const POINT: u8 = 0x2e;
export const ZERO: u8 = 0x30;
export const OPEN: u8 = 0x5b;
export const CLOSE: u8 = 0x5d;
export const BRACE: u8 = 0x7d;
export const LINE_FEED: u8 = 0x0a;
export const CARRIAGE_RETURN: u8 = 0x0d;
