"""The documents in docs/law that are made from the shipped packs: a page for each pack, the index, the matrices.

A page shows what the pack says and adds nothing to it. The matrices ask the engine, cell by cell.
"""

from law_docs.crosswalk import crosswalk_page
from law_docs.eu_matrix import eu_matrix_page
from law_docs.index import index_page
from law_docs.page import pack_page
from law_docs.shipped import file_of, written
from law_docs.us_matrix import us_matrix_page

__all__ = ["law_documents"]


def law_documents() -> dict[str, str]:
    """Name in docs/ → text, for every generated document about the packs."""
    pages = {f"law/{pack.id}.md": pack_page(pack, file_of(pack.id)) for pack in written().values()}
    return {
        "law/README.md": index_page(),
        "law/crosswalk.md": crosswalk_page(),
        "law/matrix-eu-art4.md": eu_matrix_page(),
        "law/matrix-us.md": us_matrix_page(),
        **pages,
    }
