"""Ready-made systems, each with its source."""

from orbiphon.models.chain import chain_p as chain_p, linear_chain as linear_chain
from orbiphon.models.cubic import cubic_d as cubic_d, cubic_p as cubic_p, cubic_t2g as cubic_t2g
from orbiphon.models.dichalcogenide import dichalcogenide as dichalcogenide, dichalcogenide_d as dichalcogenide_d
from orbiphon.models.helix import helix as helix, helix_p as helix_p, helix_springs as helix_springs
from orbiphon.models.honeycomb import (
    honeycomb as honeycomb,
    honeycomb_p as honeycomb_p,
    honeycomb_pxy as honeycomb_pxy,
    honeycomb_sp as honeycomb_sp,
    honeycomb_springs as honeycomb_springs,
)
from orbiphon.models.square import (
    square_p as square_p,
    square_p_energies as square_p_energies,
    square_p_long_wave as square_p_long_wave,
    square_p_vertex as square_p_vertex,
)
from orbiphon.models.weyl import weyl_p as weyl_p
