// Merely inflates an archive and counts its bytes.
//
//     node inflate.mjs ARCHIVE
import { archiveText } from './archive-text.mjs';

const text = await archiveText(process.argv[2]);
let bytes = 0;
text.on('data', (chunk) => {
  bytes += chunk.length;
});
text.on('end', () => console.log(bytes));
