/** What remark looks at in the documents: links inside the repository, with their anchors, and the form of all others. */
import remarkValidateLinks from 'remark-validate-links';
import linkForm from './link-form.mjs';

// A clone has its remote by any name, or none: nothing is compared with it.
export default { plugins: [[remarkValidateLinks, { repository: false }], linkForm] };
