"""Sets of classes by the definition of a p-value: the share of rows of a class that conform no better."""


def p_value(calibration, alpha):
    """Of a row of some nonconformity among the nonconformities of rows of a class."""
    return (sum(one >= alpha for one in calibration) + 1) / (len(calibration) + 1)


def contains(calibration, alpha, error):
    """Whether the class cannot be ruled out."""
    return p_value(calibration, alpha) > error + 1e-9
