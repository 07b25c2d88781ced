"""Reading foreign paper: mail, PDF, text. What it says, where it says it, and what that does not prove.

`paper` takes bytes in, `pdf` runs the limited child, `signs` finds literal words, `reading` drafts facts for
a person to confirm, `triage` is the first-aid page. Nothing is imported here: the PDF child loads this
package too, and has to start fast and small.
"""
