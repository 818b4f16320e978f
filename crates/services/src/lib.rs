//! Local stand-ins for the AWS services that workflows call. Pure: moments come in, answers and rows to keep go out.
